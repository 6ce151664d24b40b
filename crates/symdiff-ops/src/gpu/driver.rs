//! Kernels on a CUDA device: fat binaries loaded once, functions kept by device and name.

use super::{Arg, Grid, Launch};
use crate::{Error, Result};
use candle_core::backend::BackendDevice;
use candle_core::cuda_backend::cudarc::driver::sys::CUfunction_attribute;
use candle_core::cuda_backend::cudarc::driver::{CudaFunction, CudaModule, CudaStream, DevicePtr, LaunchConfig, PushKernelArg};
use candle_core::cuda_backend::cudarc::nvrtc::Ptx;
use candle_core::cuda_backend::{CudaStorageSlice, DeviceId, WrapErr};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, Shape, Storage, Tensor};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Every kernel with the fat binary it lies in.
static BINARIES: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/kernels.rs"));
/// Shared memory that a block may have without an attribute set first, bytes.
const FREELY_SHARED: u32 = 48 << 10;

/// Starts the launch on Candle's stream; its results, in order.
pub(super) fn run(launch: &Launch, device: &CudaDevice, grid: &Grid) -> Result<Vec<Tensor>> {
    let function = function(launch, device)?;
    if grid.shared > FREELY_SHARED {
        function.set_attribute(CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, grid.shared as i32).w()?;
    }
    let stream = device.cuda_stream();
    let mut outputs = Vec::new();
    let values = launch.args.iter().map(|arg| value(launch, arg, device, &stream, &mut outputs)).collect::<Result<Vec<_>>>()?;
    let [x, y, z] = grid.blocks;
    let config = LaunchConfig { grid_dim: (x, y, z), block_dim: (grid.threads, 1, 1), shared_mem_bytes: grid.shared };
    let mut builder = stream.launch_builder(&function);
    for value in &values {
        builder.arg(&**value);
    }
    // SAFETY: each value is at least as large as the kernel's parameter in its place (the emulator's tests compare the sizes), and
    // pointers are to memory of this device that lives until the kernel has run: Candle frees on the same stream, in order.
    unsafe { builder.launch(config) }.w()?;
    Ok(outputs.into_iter().map(|(storage, shape)| Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false)).collect())
}

/// Room for any parameter: tables are the largest.
type Value = Box<[u64; Arg::TABLE]>;

fn value(
    launch: &Launch,
    arg: &Arg,
    device: &CudaDevice,
    stream: &Arc<CudaStream>,
    outputs: &mut Vec<(CudaStorage, Shape)>,
) -> Result<Value> {
    let words = match arg {
        Arg::Read(tensor) | Arg::Change(tensor) => vec![tensor_pointer(launch.op, tensor, stream)?],
        Arg::Write(dims, dtype) => {
            let shape = Shape::from(dims.as_slice());
            // SAFETY: the kernel writes every element before anyone reads it.
            let storage = unsafe { device.alloc_uninit(&shape, *dtype)? };
            let pointer = address(&storage, 0, stream).ok_or(Error::DType { op: launch.op, got: *dtype })?;
            outputs.push((storage, shape));
            vec![pointer]
        }
        Arg::Table(entries) => {
            let mut words = Vec::with_capacity(entries.len());
            for entry in entries {
                words.push(value(launch, entry, device, stream, outputs)?[0]);
            }
            words
        }
        other => other.words(),
    };
    let mut value = Box::new([0; Arg::TABLE]);
    for (slot, word) in value.iter_mut().zip(words) {
        *slot = word;
    }
    Ok(value)
}

/// Where a contiguous tensor's first element lies.
pub(super) fn tensor_pointer(op: &'static str, tensor: &Tensor, stream: &Arc<CudaStream>) -> Result<u64> {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cuda(storage) = &*storage else {
        return Err(crate::dispatch::elsewhere(op, tensor.device()));
    };
    address(storage, layout.start_offset(), stream).ok_or(Error::DType { op, got: tensor.dtype() })
}

/// The address of an element. No guard is kept: all work on a device goes through one stream, in order.
pub(super) fn address(storage: &CudaStorage, offset: usize, stream: &Arc<CudaStream>) -> Option<u64> {
    let (first, size) = match &storage.slice {
        CudaStorageSlice::F32(slice) => (slice.device_ptr(stream).0, 4),
        CudaStorageSlice::F64(slice) => (slice.device_ptr(stream).0, 8),
        CudaStorageSlice::BF16(slice) => (slice.device_ptr(stream).0, 2),
        CudaStorageSlice::U32(slice) => (slice.device_ptr(stream).0, 4),
        _ => return None,
    };
    Some(first + (offset * size) as u64)
}

/// Binaries and functions of every device in use.
#[derive(Default)]
struct Loaded {
    modules: HashMap<(DeviceId, usize), Arc<CudaModule>>,
    functions: HashMap<(DeviceId, String), CudaFunction>,
}

fn function(launch: &Launch, device: &CudaDevice) -> Result<CudaFunction> {
    static LOADED: LazyLock<Mutex<Loaded>> = LazyLock::new(Mutex::default);
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (device.id(), launch.kernel.clone());
    if let Some(function) = loaded.functions.get(&key) {
        return Ok(function.clone());
    }
    let (_, binary) = BINARIES.iter().find(|(name, _)| *name == launch.kernel).ok_or(Error::DType { op: launch.op, got: launch.dtype })?;
    let place = (device.id(), binary.as_ptr() as usize);
    let module = match loaded.modules.get(&place) {
        Some(module) => module.clone(),
        None => device.cuda_stream().context().load_module(Ptx::from_binary(binary.to_vec())).w()?,
    };
    loaded.modules.insert(place, module.clone());
    let function = module.load_function(&launch.kernel).w()?;
    loaded.functions.insert(key, function.clone());
    Ok(function)
}
