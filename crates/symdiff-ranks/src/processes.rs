//! The joined processes of a job.

use crate::gpus::Gpus;
use crate::{Launched, Launcher};
use candle_core::{Device, Tensor};
use std::fmt::Debug;
use symdiff_train::{Alone, Ranks, Result};

/// The processes of a job, as this one knows them.
///
/// Dropped by a panic, processes that MPI joined end the whole job, this process too, even where the panic would be caught: the others would wait for it.
#[derive(Debug)]
pub struct Processes(Joined);

#[derive(Debug)]
enum Joined {
    Hosts(Box<dyn Host>),
    Gpus(Gpus),
}

/// A process that exchanges with others through the memory of its host.
pub(crate) trait Host: Ranks + Debug {
    /// Ends all processes of the job, this one too, where there are others.
    fn abort(&self, code: u8);
}

impl Host for Alone {
    fn abort(&self, _: u8) {}
}

impl Processes {
    /// Joins the processes that were started together; waits until all have come. With the feature `nccl`, those with a GPU sum on their GPUs. Once in a
    /// process.
    ///
    /// # Errors
    /// [`Error::Ranks`](symdiff_train::Error::Ranks) when this program was built without the engine that joins them, or they cannot be joined.
    pub fn join(launched: Option<&Launched>, device: &Device) -> Result<Self> {
        let Some(launched) = launched else { return Ok(Self(Joined::Hosts(Box::new(Alone)))) };
        Ok(Self(match &launched.launcher {
            Launcher::Mpi if device.is_cuda() && cfg!(feature = "nccl") => Joined::Gpus(Gpus::join(host(launched)?, device)?),
            Launcher::Mpi => Joined::Hosts(host(launched)?),
            Launcher::Script { rendezvous } => Joined::Gpus(Gpus::meet(rendezvous, launched.rank, launched.size, device)?),
        }))
    }

    /// Ends all processes where the engine can: the failure of one would let the others wait. Returns where this process has no others, or where ending them
    /// is for the script that started them.
    pub fn abort(&self, code: u8) {
        match &self.0 {
            Joined::Hosts(host) => host.abort(code),
            Joined::Gpus(gpus) => gpus.abort(code),
        }
    }

    fn ranks(&self) -> &dyn Ranks {
        match &self.0 {
            Joined::Hosts(host) => &**host,
            Joined::Gpus(gpus) => gpus,
        }
    }
}

/// What can join processes in this program: the system's MPI, as the library names itself, and NCCL; empty where it was built with neither.
pub fn engines() -> Vec<String> {
    let engines = [
        #[cfg(feature = "mpi")]
        crate::mpi::library(),
        #[cfg(feature = "nccl")]
        "NCCL".to_owned(),
    ];
    engines.into()
}

#[cfg(feature = "mpi")]
fn host(launched: &Launched) -> Result<Box<dyn Host>> {
    let mpi = crate::mpi::Mpi::join()?;
    let (joined, started) = ((mpi.rank(), mpi.size()), (launched.rank, launched.size));
    if joined != started {
        return Err(symdiff_train::Error::Ranks(format!(
            "the launcher started this as process {} of {}, and MPI says process {} of {}: the program was built with another MPI than the one that started it",
            started.0, started.1, joined.0, joined.1
        )));
    }
    Ok(Box::new(mpi))
}

#[cfg(not(feature = "mpi"))]
fn host(launched: &Launched) -> Result<Box<dyn Host>> {
    Err(symdiff_train::Error::Ranks(format!(
        "this is one of {} that MPI started, and this program was built without MPI; build it with `--features mpi`, or divide samples by --shard",
        launched.size
    )))
}

impl Ranks for Processes {
    fn rank(&self) -> usize {
        self.ranks().rank()
    }

    fn size(&self) -> usize {
        self.ranks().size()
    }

    fn sum(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>> {
        self.ranks().sum(tensors)
    }

    fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        self.ranks().gather(mine)
    }

    fn for_another_thread(&self) -> Option<&(dyn Ranks + Sync)> {
        self.ranks().for_another_thread()
    }
}
