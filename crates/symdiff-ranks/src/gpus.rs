//! Processes with a GPU each, joined by NCCL.

use crate::processes::Host;
use crate::rendezvous;
use candle_core::{Device, Tensor};
use std::path::Path;
use symdiff_ops::nccl::{Communicator, Id};
use symdiff_train::{Error, Ranks, Result};

/// Sums on the GPUs; what is gathered goes through the memory of the hosts where they are joined as well.
#[derive(Debug)]
pub(crate) struct Gpus {
    communicator: Communicator,
    hosts: Hosts,
}

/// How hosts are joined.
#[derive(Debug)]
enum Hosts {
    Joined(Box<dyn Host>),
    Apart { rank: usize, size: usize },
}

impl Gpus {
    /// Joins the GPUs of processes that are joined already: rank 0 makes the id.
    pub(crate) fn join(host: Box<dyn Host>, device: &Device) -> Result<Self> {
        // Rank 0 gathers also where it has no id, since the others wait for it.
        let made = (host.rank() == 0).then(Communicator::id).transpose();
        let mine = made.as_ref().ok().and_then(Option::as_ref).map_or_else(Vec::new, |id| id.to_vec());
        let all = host.gather(&mine)?.concat();
        made?;
        let id = Id::try_from(all).map_err(|_| Error::Ranks("rank 0 gave no id of NCCL".into()))?;
        let communicator = Communicator::join(device, host.rank(), host.size(), id)?;
        Ok(Self { communicator, hosts: Hosts::Joined(host) })
    }

    /// Joins the GPUs of processes that know a file alone.
    pub(crate) fn meet(file: &Path, rank: usize, size: usize, device: &Device) -> Result<Self> {
        let id = if rank == 0 { rendezvous::leave(file, Communicator::id()?)? } else { rendezvous::wait(file)? };
        let joined = Communicator::join(device, rank, size, id);
        if rank == 0 {
            rendezvous::clear(file);
        }
        let communicator = joined?;
        Ok(Self { communicator, hosts: Hosts::Apart { rank, size } })
    }

    /// Ends all processes, where the hosts are joined.
    pub(crate) fn abort(&self, code: u8) {
        if let Hosts::Joined(host) = &self.hosts {
            host.abort(code);
        }
    }
}

impl Ranks for Gpus {
    fn rank(&self) -> usize {
        match &self.hosts {
            Hosts::Joined(host) => host.rank(),
            Hosts::Apart { rank, .. } => *rank,
        }
    }

    fn size(&self) -> usize {
        match &self.hosts {
            Hosts::Joined(host) => host.size(),
            Hosts::Apart { size, .. } => *size,
        }
    }

    fn sum(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>> {
        Ok(self.communicator.sum(&tensors)?)
    }

    fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        match &self.hosts {
            Hosts::Joined(host) => host.gather(mine),
            Hosts::Apart { .. } => Ok(self.communicator.gather(mine)?),
        }
    }
}
