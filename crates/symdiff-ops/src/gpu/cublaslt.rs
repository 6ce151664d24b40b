//! Products on a CUDA device by cuBLASLt. What the library chooses for a product is kept, so that it is asked once a shape: batches differ in
//! their number of nodes, which makes some thousands of shapes in the end, of less than a kilobyte each.

use super::driver::{address, tensor_pointer};
use super::product::{Matrix, Plan};
use crate::{Error, Result};
use candle_core::backend::BackendDevice;
use candle_core::cuda_backend::cudarc::cublaslt::result::{self, CublasError};
use candle_core::cuda_backend::cudarc::cublaslt::sys::{
    cublasComputeType_t, cublasLtEpilogue_t, cublasLtHandle_t, cublasLtMatmulAlgo_t, cublasLtMatmulDesc_t, cublasLtMatmulDescAttributes_t,
    cublasLtMatmulPreferenceAttributes_t, cublasLtMatrixLayout_t, cudaDataType_t,
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

/// Scratch memory that the library may use, bytes: what its documentation asks for on Hopper.
const WORKSPACE: usize = 32 << 20;
/// The alignment beyond which the library does not look, bytes.
const ALIGNED: u64 = 256;

/// op(A)·op(B) (+ bias) as a tensor `[n, m]`; the caller has checked shapes, dtypes and devices.
pub(super) fn run(
    op: &'static str,
    plan: &Plan,
    factors: [&Tensor; 2],
    bias: Option<&Tensor>,
    dtype: DType,
    device: &CudaDevice,
) -> Result<Tensor> {
    static LIBRARIES: LazyLock<Mutex<HashMap<DeviceId, Library>>> = LazyLock::new(Mutex::default);

    let stream = device.cuda_stream();
    let shape = Shape::from((plan.n, plan.m));
    // SAFETY: the product writes every element before anyone reads it.
    let storage = unsafe { device.alloc_uninit(&shape, dtype)? };
    let out = address(&storage, 0, &stream).ok_or(Error::DType { op, got: dtype })?;
    let [a, b] = [tensor_pointer(op, factors[0], &stream)?, tensor_pointer(op, factors[1], &stream)?];
    let bias = bias.map(|bias| tensor_pointer(op, bias, &stream)).transpose()?;
    let alignment = 1 << (a | b | out | bias.unwrap_or(0) | ALIGNED).trailing_zeros();
    let key = Key { plan: *plan, input: factors[0].dtype(), output: dtype, biased: bias.is_some(), alignment };

    let mut libraries = LIBRARIES.lock().unwrap_or_else(PoisonError::into_inner);
    let library = match libraries.entry(device.id()) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(Library::new(op, device)?),
    };
    let failed = |error: CublasError| Error::Kernel { op, kernel: "cuBLASLt".into(), reason: format!("{error} at {key:?}") };
    let (workspace, _guard) = library.workspace.device_ptr(&stream);
    let chosen = match library.chosen.entry(key) {
        Entry::Occupied(entry) => entry.into_mut(),
        // SAFETY: the handle is the library's own and is never destroyed.
        Entry::Vacant(entry) => entry.insert(unsafe { Chosen::new(library.handle, &key) }.map_err(failed)?),
    };
    // SAFETY: pointers are to memory of this device of the sizes that the plan states (tensors are contiguous, their shapes made the plan)
    // which lives until the product has run, since Candle frees on the same stream; description, layouts and algorithm belong together.
    unsafe { chosen.run(library.handle, [a, b, out, workspace], bias, stream.cu_stream().cast()) }.map_err(failed)?;
    Ok(Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false))
}

/// The library on one device.
struct Library {
    handle: cublasLtHandle_t,
    workspace: CudaSlice<u8>,
    chosen: HashMap<Key, Chosen>,
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

/// All that the library's choice depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    plan: Plan,
    input: DType,
    output: DType,
    biased: bool,
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
        let layout = |matrix: Matrix, dtype| {
            result::create_matrix_layout(kind(dtype), matrix.rows as u64, matrix.columns as u64, matrix.rows as i64)
        };
        let Plan { m, n, a, b, .. } = key.plan;
        let description = result::create_matmul_desc(cublasComputeType_t::CUBLAS_COMPUTE_32F, cudaDataType_t::CUDA_R_32F)?;
        // SAFETY: the description is alive, and each value has the size that its attribute asks for.
        unsafe {
            describe(description, Attribute::CUBLASLT_MATMUL_DESC_TRANSA, &i32::from(a.transposed))?;
            describe(description, Attribute::CUBLASLT_MATMUL_DESC_TRANSB, &i32::from(b.transposed))?;
            if key.biased {
                describe(description, Attribute::CUBLASLT_MATMUL_DESC_EPILOGUE, &cublasLtEpilogue_t::CUBLASLT_EPILOGUE_BIAS)?;
            }
        }
        let d = Matrix { rows: m, columns: n, transposed: false };
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

    /// Starts the product; addresses are those of A, B, D and the workspace.
    unsafe fn run(
        &self,
        handle: cublasLtHandle_t,
        [a, b, d, workspace]: [u64; 4],
        bias: Option<u64>,
        stream: candle_core::cuda_backend::cudarc::cublaslt::sys::cudaStream_t,
    ) -> std::result::Result<(), CublasError> {
        let (one, zero) = (1.0_f32, 0.0_f32);
        let (scale, add) = (from_ref(&one).cast::<c_void>(), from_ref(&zero).cast::<c_void>());
        // SAFETY: the caller's; with a factor of zero, C is not read, and D may stand for it.
        unsafe {
            if let Some(bias) = bias {
                describe(self.description, cublasLtMatmulDescAttributes_t::CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias)?;
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
