//! Products on a CUDA device by cuBLASLt. Its heuristic, which chooses the algorithm of a product, takes longer than the product, and batches
//! hardly ever have the same number of nodes; so one choice serves all batches of about as many nodes.

use super::blas::{ColumnMajor, Plan};
use super::driver::{address, tensor_pointer};
use crate::{Error, Result};
use candle_core::backend::BackendDevice;
use candle_core::cuda_backend::cudarc::cublaslt::result::{self, CublasError};
use candle_core::cuda_backend::cudarc::cublaslt::sys::{
    cublasComputeType_t, cublasLtEpilogue_t, cublasLtHandle_t, cublasLtMatmulAlgo_t, cublasLtMatmulDesc_t, cublasLtMatmulDescAttributes_t,
    cublasLtMatmulPreferenceAttributes_t, cublasLtMatrixLayout_t, cublasLtMatrixLayoutAttribute_t, cublasStatus_t, cudaDataType_t,
};
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, DevicePtr};
use candle_core::cuda_backend::{DeviceId, WrapErr};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, DType, Shape, Storage, Tensor};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::c_void;
use std::ptr::from_ref;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Scratch memory that the library may use, bytes: what its documentation recommends on Hopper.
const WORKSPACE: usize = 32 << 20;
/// The largest alignment that the library distinguishes, bytes.
const ALIGNED: u64 = 256;

/// What comes with a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Extra {
    None,
    /// A bias is added to every column of D.
    Bias,
    /// op(B) is summed over k, an entry for each column of D.
    Sums,
}

/// op(A)·op(B) (+ bias) as a tensor `[n, m]`; the caller has checked shapes, dtypes and devices.
pub(super) fn run(
    op: &'static str,
    plan: &Plan,
    factors: [&Tensor; 2],
    bias: Option<&Tensor>,
    dtype: DType,
    device: &CudaDevice,
) -> Result<Tensor> {
    let bias = bias.map(|bias| tensor_pointer(op, bias, &device.cuda_stream())).transpose()?;
    let extra = if bias.is_some() { Extra::Bias } else { Extra::None };
    start(op, plan, factors, (extra, bias), dtype, device)?.map_err(|error| refused(op, error, plan))
}

/// op(A)·op(B) as a tensor `[n, m]` in f32, and the sums of op(B) over k, `[n]`; `None` where the library does not do both at once.
pub(super) fn run_with_sums(op: &'static str, plan: &Plan, factors: [&Tensor; 2], device: &CudaDevice) -> Result<Option<[Tensor; 2]>> {
    let shape = Shape::from(plan.n);
    // SAFETY: the product writes every sum before anyone reads it.
    let sums = unsafe { device.alloc_uninit(&shape, DType::F32)? };
    let place = address(&sums, 0, &device.cuda_stream());
    match start(op, plan, factors, (Extra::Sums, place), DType::F32, device)? {
        Ok(product) => Ok(Some([product, Tensor::from_storage(Storage::Cuda(sums), shape, BackpropOp::none(), false)])),
        Err(error) if unfit(error) => Ok(None),
        Err(error) => Err(refused(op, error, plan)),
    }
}

/// Whether the library refuses to do a product this way, rather than reporting a failure.
fn unfit(error: CublasError) -> bool {
    matches!(error.0, cublasStatus_t::CUBLAS_STATUS_NOT_SUPPORTED | cublasStatus_t::CUBLAS_STATUS_INVALID_VALUE)
}

fn refused(op: &'static str, error: CublasError, plan: &Plan) -> Error {
    Error::Kernel { op, kernel: "cuBLASLt".into(), reason: format!("{error} at {plan:?}") }
}

/// Starts a product, with the address that the extra reads or writes; the inner failure is the library's.
fn start(
    op: &'static str,
    plan: &Plan,
    factors: [&Tensor; 2],
    (extra, vector): (Extra, Option<u64>),
    dtype: DType,
    device: &CudaDevice,
) -> Result<std::result::Result<Tensor, CublasError>> {
    static LIBRARIES: LazyLock<Mutex<HashMap<DeviceId, Library>>> = LazyLock::new(Mutex::default);

    let stream = device.cuda_stream();
    let shape = Shape::from((plan.n, plan.m));
    // SAFETY: the product writes every element before anyone reads it.
    let storage = unsafe { device.alloc_uninit(&shape, dtype)? };
    let out = address(&storage, 0, &stream).ok_or(Error::DType { op, got: dtype })?;
    let [a, b] = [tensor_pointer(op, factors[0], &stream)?, tensor_pointer(op, factors[1], &stream)?];
    let alignment = 1 << (a | b | out | vector.unwrap_or(0) | ALIGNED).trailing_zeros();
    let key = |plan| Key { plan, input: factors[0].dtype(), output: dtype, extra, alignment };

    let mut libraries = LIBRARIES.lock().unwrap_or_else(PoisonError::into_inner);
    let library = match libraries.entry(device.id()) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(Library::new(op, device)?),
    };
    let mut start = |key: Key| {
        let (workspace, _guard) = library.workspace.device_ptr(&stream);
        let chosen = match library.chosen.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            // SAFETY: the handle is the library's own and is never destroyed.
            Entry::Vacant(entry) => match unsafe { Chosen::new(library.handle, &key) } {
                Err(error) if !unfit(error) => return Err(error),
                asked => entry.insert(asked),
            },
        };
        let ready = chosen.as_ref().map_err(|error| *error)?;
        // SAFETY: pointers are to memory of this device of the sizes that the plan states (tensors are contiguous, their shapes made the plan)
        // which lives until the product has run, since Candle frees on the same stream; description, layouts and algorithm belong together.
        let started = unsafe { ready.run(library.handle, plan, [a, b, out, workspace], vector, stream.cu_stream().cast()) };
        if let Err(error) = started
            && unfit(error)
        {
            // The refusal is kept, so that the next batch does not try again.
            *chosen = Err(error);
        }
        started
    };
    let roomy = plan.roomy();
    let mut started = start(key(roomy));
    // An algorithm for the larger product may be unfit for this one, for example where a single row or column has an odd length. Sums can be
    // made without the library, which is faster than running the heuristic for every number of nodes.
    if started.is_err_and(unfit) && roomy != *plan && extra != Extra::Sums {
        started = start(key(*plan));
    }
    Ok(started.map(|()| Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false)))
}

/// The library on one device.
struct Library {
    handle: cublasLtHandle_t,
    workspace: CudaSlice<u8>,
    /// Its choices, and its refusals.
    chosen: HashMap<Key, std::result::Result<Chosen, CublasError>>,
}

// SAFETY: the pointers in it are to the library's own memory, and are used under a lock.
unsafe impl Send for Library {}

impl Library {
    fn new(op: &'static str, device: &CudaDevice) -> Result<Self> {
        let failed = |error: CublasError| Error::Kernel { op, kernel: "cuBLASLt".into(), reason: error.to_string() };
        // SAFETY: scratch memory, written before it is read.
        let workspace = unsafe { device.cuda_stream().alloc(WORKSPACE) }.w()?;
        Ok(Self { handle: result::create_handle().map_err(failed)?, workspace, chosen: HashMap::new() })
    }
}

impl Plan {
    /// The same product on up to a sixteenth more nodes. They are the rows of the left factor or, where that is transposed, what is summed
    /// over; either way columns of column-major matrices, so that no leading dimension changes.
    fn roomy(mut self) -> Self {
        let more = |count: usize| count.next_multiple_of((count.next_power_of_two() / 32).max(1));
        if !self.b.transposed {
            self.n = more(self.n);
            self.b.columns = self.n;
        } else if !self.a.transposed {
            self.k = more(self.k);
            (self.a.columns, self.b.columns) = (self.k, self.k);
        }
        self
    }
}

/// All that the library's choice depends on, with a plan that has [room](Plan::roomy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    plan: Plan,
    input: DType,
    output: DType,
    extra: Extra,
    /// That all addresses share, bytes.
    alignment: u32,
}

/// The library's choice for a key, and the descriptions it was made from.
struct Chosen {
    description: cublasLtMatmulDesc_t,
    a: cublasLtMatrixLayout_t,
    b: cublasLtMatrixLayout_t,
    d: cublasLtMatrixLayout_t,
    algorithm: cublasLtMatmulAlgo_t,
}

impl Chosen {
    unsafe fn new(handle: cublasLtHandle_t, key: &Key) -> std::result::Result<Self, CublasError> {
        use cublasLtMatmulDescAttributes_t as Attribute;
        use cublasLtMatmulPreferenceAttributes_t as Preference;
        let kind = |dtype| if dtype == DType::BF16 { cudaDataType_t::CUDA_R_16BF } else { cudaDataType_t::CUDA_R_32F };
        let layout = |matrix: ColumnMajor, dtype| {
            result::create_matrix_layout(kind(dtype), matrix.rows as u64, matrix.columns as u64, matrix.rows as i64)
        };
        let Plan { m, n, a, b, .. } = key.plan;
        let description = result::create_matmul_desc(cublasComputeType_t::CUBLAS_COMPUTE_32F, cudaDataType_t::CUDA_R_32F)?;
        // SAFETY: the description is alive, and each value has the size of its attribute.
        unsafe {
            describe(description, Attribute::CUBLASLT_MATMUL_DESC_TRANSA, &i32::from(a.transposed))?;
            describe(description, Attribute::CUBLASLT_MATMUL_DESC_TRANSB, &i32::from(b.transposed))?;
            let epilogue = match key.extra {
                Extra::None => None,
                Extra::Bias => Some(cublasLtEpilogue_t::CUBLASLT_EPILOGUE_BIAS),
                Extra::Sums => Some(cublasLtEpilogue_t::CUBLASLT_EPILOGUE_BGRADB),
            };
            if let Some(epilogue) = epilogue {
                describe(description, Attribute::CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue)?;
            }
        }
        let d = ColumnMajor { rows: m, columns: n, transposed: false };
        let (a, b, d) = (layout(a, key.input)?, layout(b, key.input)?, layout(d, key.output)?);
        let preference = result::create_matmul_pref()?;
        // SAFETY: as above; handle, description, layouts and preference are alive.
        let found = unsafe {
            let prefer = |attribute, bytes, value| result::set_matmul_pref_attribute(preference, attribute, value, bytes);
            prefer(Preference::CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, size_of::<usize>(), from_ref(&WORKSPACE).cast())?;
            for attribute in [
                Preference::CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
                Preference::CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                Preference::CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
                Preference::CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES,
            ] {
                prefer(attribute, size_of::<u32>(), from_ref(&key.alignment).cast())?;
            }
            let found = result::get_matmul_algo_heuristic(handle, description, a, b, d, d, preference);
            result::destroy_matmul_pref(preference)?;
            found?
        };
        Ok(Self { description, a, b, d, algorithm: found.algo })
    }

    /// Starts the product of that plan, for which there is room; addresses are those of A, B, D and the workspace, and the vector is the extra's.
    unsafe fn run(
        &self,
        handle: cublasLtHandle_t,
        plan: &Plan,
        [a, b, d, workspace]: [u64; 4],
        vector: Option<u64>,
        stream: candle_core::cuda_backend::cudarc::cublaslt::sys::cudaStream_t,
    ) -> std::result::Result<(), CublasError> {
        let (one, zero) = (1.0_f32, 0.0_f32);
        let (scale, add) = (from_ref(&one).cast::<c_void>(), from_ref(&zero).cast::<c_void>());
        // SAFETY: the caller's; with a factor of zero, C is not read, and D may stand for it.
        unsafe {
            for (layout, columns) in [(self.a, plan.a.columns), (self.b, plan.b.columns), (self.d, plan.n)] {
                let columns = columns as u64;
                let attribute = cublasLtMatrixLayoutAttribute_t::CUBLASLT_MATRIX_LAYOUT_COLS;
                result::set_matrix_layout_attribute(layout, attribute, from_ref(&columns).cast(), size_of::<u64>())?;
            }
            if let Some(vector) = vector {
                describe(self.description, cublasLtMatmulDescAttributes_t::CUBLASLT_MATMUL_DESC_BIAS_POINTER, &vector)?;
            }
            result::matmul(
                handle,
                self.description,
                scale,
                add,
                a as *const c_void,
                self.a,
                b as *const c_void,
                self.b,
                d as *const c_void,
                self.d,
                d as *mut c_void,
                self.d,
                &raw const self.algorithm,
                workspace as *mut c_void,
                WORKSPACE,
                stream,
            )
        }
    }
}

unsafe fn describe<T>(
    description: cublasLtMatmulDesc_t,
    attribute: cublasLtMatmulDescAttributes_t,
    value: &T,
) -> std::result::Result<(), CublasError> {
    // SAFETY: the caller's: a live description, and a value of the attribute's type.
    unsafe { result::set_matmul_desc_attribute(description, attribute, from_ref(value).cast(), size_of::<T>()) }
}
