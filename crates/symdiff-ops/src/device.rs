//! Opening a GPU: which constructor to use.
//!
//! - [`cuda`] here: a stream of the device's own, no event tracking, and freed memory kept for the next step. Several threads may use the
//!   device in turn. Use this one.
//! - `Device::new_cuda` of Candle: all ops run on it too, with the cost of an event for every tensor. Its stream is CUDA's per-thread one,
//!   which orders the work of one thread only: a device opened this way belongs to the thread that works on it.

use crate::{Error, Result};
use candle_core::Device;

/// The CUDA device of that number, with a stream of its own.
///
/// # Errors
/// [`Error::NoGpu`] when there is none, no driver for it, or this build has no CUDA.
#[cfg(not(feature = "cuda"))]
pub fn cuda(_: usize) -> Result<Device> {
    Err(Error::NoGpu("this program was built without the feature `cuda` of symdiff-ops".into()))
}

/// The CUDA device of that number, with a stream of its own.
///
/// # Errors
/// [`Error::NoGpu`] when there is none, no driver for it, or this build has no CUDA.
#[cfg(feature = "cuda")]
pub fn cuda(index: usize) -> Result<Device> {
    let device = Device::new_cuda_with_stream(index)
        .map_err(|error| Error::NoGpu(format!("the CUDA driver reports {}", error.to_string().lines().next().unwrap_or_default())))?;
    if let Device::Cuda(cuda) = &device {
        // SAFETY: all work on the device goes through its one stream, in order, so no events are needed to order it.
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
