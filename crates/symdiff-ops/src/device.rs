//! Opening a GPU.

use crate::{Error, Result};
use candle_core::Device;

/// The CUDA device of that number, with a stream of its own.
///
/// # Errors
/// [`Error::NoGpu`] when there is none, no driver for it, or this build has no CUDA.
#[cfg(not(feature = "cuda"))]
pub fn cuda(_: usize) -> Result<Device> {
    Err(Error::NoGpu("this program was built without the feature `cuda`".into()))
}

/// The CUDA device of that number, with a stream of its own.
///
/// # Errors
/// [`Error::NoGpu`] when there is none, no driver for it, or this build has no CUDA.
#[cfg(feature = "cuda")]
pub fn cuda(index: usize) -> Result<Device> {
    let device = Device::new_cuda_with_stream(index)
        .map_err(|error| Error::NoGpu(format!("the CUDA driver says {}", error.to_string().lines().next().unwrap_or_default())))?;
    if let Device::Cuda(cuda) = &device {
        // SAFETY: all work on the device goes through its one stream, in order, so there is nothing for events to hold apart.
        unsafe { cuda.disable_event_tracking() };
        keep_freed_memory(cuda)?;
    }
    Ok(device)
}

/// Freed memory stays in the pool for the next step; by default every synchronisation hands it back to the driver.
#[cfg(feature = "cuda")]
fn keep_freed_memory(device: &candle_core::CudaDevice) -> Result<()> {
    use candle_core::cuda_backend::WrapErr;
    use candle_core::cuda_backend::cudarc::driver::result::{device::get_default_mem_pool, mem_pool};
    use candle_core::cuda_backend::cudarc::driver::sys::CUmemPool_attribute;

    let mut all = u64::MAX;
    // SAFETY: the device is open, the pool is its own, and the attribute is a number of 64 bits.
    unsafe {
        let pool = get_default_mem_pool(device.cuda_stream().context().cu_device()).w()?;
        mem_pool::set_attribute(pool, CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, (&raw mut all).cast()).w()?;
    }
    Ok(())
}
