//! NCCL on the buffers of Candle's tensors, through cudarc's safe communicator.

use super::Id;
use crate::{Error, Result};
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{CudaView, DeviceRepr};
use candle_core::cuda_backend::cudarc::nccl::result::{self, NcclError};
use candle_core::cuda_backend::cudarc::nccl::{Comm, Id as NcclId, ReduceOp};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, Device, Layout, Storage, Tensor};

/// A process among those of a job, on its GPU.
pub struct Communicator {
    comm: Comm,
    device: CudaDevice,
}

impl std::fmt::Debug for Communicator {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(out, "NCCL, process {} of {}", self.comm.rank(), self.comm.world_size())
    }
}

impl Communicator {
    /// An id for a new job.
    ///
    /// # Errors
    /// [`Error::Nccl`] when the library refuses, or this build has none.
    pub fn id() -> Result<Id> {
        let id = NcclId::new().map_err(refused)?;
        Ok(id.internal().map(|byte| byte as u8))
    }

    /// Joins the job of that id as process `rank` of `size`; returns when all have joined.
    ///
    /// # Errors
    /// [`Error::Nccl`] when the device is no GPU, the library refuses, or this build has none.
    pub fn join(device: &Device, rank: usize, size: usize, id: Id) -> Result<Self> {
        let Device::Cuda(device) = device else {
            return Err(Error::Nccl("it joins GPUs, and this process computes on another device".into()));
        };
        if rank >= size || i32::try_from(size).is_err() {
            return Err(Error::Nccl(format!("there is no process {rank} of {size}")));
        }
        let id = NcclId::uninit(id.map(|byte| byte as core::ffi::c_char));
        let comm = Comm::from_rank(device.cuda_stream(), rank, size, id).map_err(refused)?;
        Ok(Self { comm, device: device.clone() })
    }

    /// The sums of f32 tensors over all processes. Nothing is waited for: the sums are work on the device's stream.
    ///
    /// # Errors
    /// [`Error::Nccl`] when the library refuses.
    pub fn sum(&self, tensors: &[Tensor]) -> Result<Vec<Tensor>> {
        // In a group the library only notes the sums, and begins them at its end: until then their memory must not go to anything else.
        let terms = tensors.iter().map(Tensor::contiguous).collect::<candle_core::Result<Vec<_>>>()?;
        let storages: Vec<_> = terms.iter().map(Tensor::storage_and_layout).collect();
        let views = storages.iter().map(|(storage, layout)| view(storage, layout)).collect::<Result<Vec<_>>>()?;
        // SAFETY: the library writes every element, on the stream of all later readers.
        let empty = |view: &CudaView<f32>| unsafe { self.device.cuda_stream().alloc::<f32>(view.len()) }.w();
        let mut sums = views.iter().map(empty).collect::<candle_core::Result<Vec<_>>>()?;
        result::group_start().map_err(refused)?;
        let begun = views.iter().zip(&mut sums).try_for_each(|(view, sum)| self.comm.all_reduce(view, sum, &ReduceOp::Sum).map(drop));
        result::group_end().map_err(refused)?;
        begun.map_err(refused)?;
        let summed = sums.into_iter().zip(tensors).map(|(sum, tensor)| {
            let storage = Storage::Cuda(CudaStorage::wrap_cuda_slice(sum, self.device.clone()));
            Tensor::from_storage(storage, tensor.shape(), BackpropOp::none(), false)
        });
        Ok(summed.collect())
    }

    /// What each process gives, in the order of ranks. Waits for the device.
    ///
    /// # Errors
    /// [`Error::Nccl`] when the library refuses.
    pub fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        let lengths = self.gather_equal(&[mine.len() as u64])?;
        let longest = lengths.iter().copied().max().unwrap_or(0) as usize;
        if longest == 0 {
            return Ok(vec![Vec::new(); self.comm.world_size()]);
        }
        let mut padded = mine.to_vec();
        padded.resize(longest, 0);
        let all = self.gather_equal(&padded)?;
        Ok(all.chunks_exact(longest).zip(lengths).map(|(theirs, length)| theirs[..length as usize].to_vec()).collect())
    }

    fn gather_equal<T>(&self, mine: &[T]) -> Result<Vec<T>>
    where
        T: DeviceRepr
            + candle_core::cuda_backend::cudarc::driver::ValidAsZeroBits
            + Clone
            + Default
            + candle_core::cuda_backend::cudarc::nccl::NcclType,
    {
        let stream = self.device.cuda_stream();
        let sent = stream.clone_htod(mine).w()?;
        let mut received = stream.alloc_zeros::<T>(mine.len() * self.comm.world_size()).w()?;
        self.comm.all_gather(&sent, &mut received).map_err(refused)?;
        Ok(stream.clone_dtoh(&received).w()?)
    }
}

/// The numbers of a contiguous tensor.
fn view<'a>(storage: &'a Storage, layout: &Layout) -> Result<CudaView<'a, f32>> {
    let Storage::Cuda(storage) = storage else {
        return Err(Error::Nccl("it sums tensors of a GPU, and one lives on another device".into()));
    };
    let start = layout.start_offset();
    Ok(storage.as_cuda_slice::<f32>()?.slice(start..start + layout.shape().elem_count()))
}

fn refused(error: NcclError) -> Error {
    Error::Nccl(format!("the library reports {:?}; NCCL_DEBUG=WARN tells more", error.0))
}
