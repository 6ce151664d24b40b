//! A program without NCCL.

use super::Id;
use crate::{Error, Result};
use candle_core::{Device, Tensor};

/// A process among those of a job, on its GPU.
#[derive(Debug)]
pub enum Communicator {}

impl Communicator {
    /// An id for a new job.
    ///
    /// # Errors
    /// [`Error::Nccl`] when the library refuses, or this build has none.
    pub fn id() -> Result<Id> {
        Err(absent())
    }

    /// Joins the job of that id as process `rank` of `size`; returns when all have joined.
    ///
    /// # Errors
    /// [`Error::Nccl`] when the device is no GPU, the library refuses, or this build has none.
    pub fn join(_device: &Device, _rank: usize, _size: usize, _id: Id) -> Result<Self> {
        Err(absent())
    }

    /// The sums of f32 tensors over all processes.
    ///
    /// # Errors
    /// [`Error::Nccl`] when the library refuses.
    pub fn sum(&self, _tensors: &[Tensor]) -> Result<Vec<Tensor>> {
        match *self {}
    }

    /// What each process gives, in the order of ranks.
    ///
    /// # Errors
    /// [`Error::Nccl`] when the library refuses.
    pub fn gather(&self, _mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        match *self {}
    }
}

fn absent() -> Error {
    Error::Nccl("this program was built without the feature `nccl` of symdiff-ops".into())
}
