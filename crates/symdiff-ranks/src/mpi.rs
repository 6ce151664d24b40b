//! The system's MPI.

use crate::processes::Host;
use candle_core::Tensor;
use mpi::Threading;
use mpi::collective::CommunicatorCollectives;
use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::point_to_point::send_receive_into;
use mpi::topology::{Communicator, SimpleCommunicator};
use symdiff_train::ranks::{Pairs, sum_tensors};
use symdiff_train::{Error, Ranks, Result};

/// The world of an MPI job. MPI ends all its processes when one of them is lost, so no exchange returns without its partner.
pub(crate) struct Mpi {
    /// Whether one thread after another may call MPI.
    serialized: bool,
    /// Ends MPI when it is dropped.
    _universe: Universe,
}

/// The exit code of a program that panicked.
const PANICKED: u8 = 101;

/// All processes of the job. Each thread that calls MPI names them anew, since the name is for one thread.
fn world() -> SimpleCommunicator {
    SimpleCommunicator::world()
}

impl Mpi {
    /// Joins the other processes; waits until all have come. Once in a process.
    pub(crate) fn join() -> Result<Self> {
        // Of all threads of this process one at a time calls MPI.
        let (universe, level) = mpi::initialize_with_threading(Threading::Serialized)
            .ok_or_else(|| Error::Ranks("MPI was started before, by another part of this program".into()))?;
        if level < Threading::Funneled {
            return Err(Error::Ranks("this MPI allows a process one thread only; use one with MPI_THREAD_FUNNELED".into()));
        }
        Ok(Self { serialized: level >= Threading::Serialized, _universe: universe })
    }
}

/// What the library says of itself, before the other processes are joined too: its first line, without the details of the package.
pub(crate) fn library() -> String {
    let said = mpi::environment::library_version().unwrap_or_else(|_| "an MPI without a name".into());
    said.split([',', '\n', '\0']).next().unwrap_or_default().trim().to_owned()
}

impl std::fmt::Debug for Mpi {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(out, "MPI, process {} of {}", self.rank(), self.size())
    }
}

impl Pairs for Mpi {
    fn exchange(&self, partner: usize, sent: &[f32], received: &mut [f32]) -> Result<()> {
        let world = world();
        let partner = world.process_at_rank(partner as i32);
        send_receive_into(sent, &partner, received, &partner);
        Ok(())
    }
}

impl Ranks for Mpi {
    fn rank(&self) -> usize {
        world().rank() as usize
    }

    fn size(&self) -> usize {
        world().size() as usize
    }

    fn sum(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>> {
        sum_tensors(self, tensors)
    }

    fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut lengths = vec![0_u64; self.size()];
        world().all_gather_into(&(mine.len() as u64), &mut lengths[..]);
        let total: u64 = lengths.iter().sum();
        if total == 0 {
            // Open MPI fails where nobody has anything to gather.
            return Ok(vec![Vec::new(); lengths.len()]);
        }
        if i32::try_from(total).is_err() {
            return Err(Error::Ranks(format!("{total} bytes to gather, and MPI counts to 2 GiB; divide the work by --shard")));
        }
        let counts: Vec<i32> = lengths.iter().map(|&length| length as i32).collect();
        let starts: Vec<i32> = counts.iter().scan(0, |next, &count| Some(std::mem::replace(next, *next + count))).collect();
        let mut all = vec![0_u8; total as usize];
        world().all_gather_varcount_into(mine, &mut PartitionMut::new(&mut all[..], counts, starts));
        let mut rest = all.as_slice();
        let theirs = lengths.iter().map(|&length| {
            let (one, others) = rest.split_at(length as usize);
            rest = others;
            one.to_vec()
        });
        Ok(theirs.collect())
    }

    fn for_another_thread(&self) -> Option<&(dyn Ranks + Sync)> {
        self.serialized.then_some(self)
    }
}

/// A process that panics ends the others too: the end of MPI, which waits for all of them, would wait for ever.
impl Drop for Mpi {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.abort(PANICKED);
        }
    }
}

impl Host for Mpi {
    fn abort(&self, code: u8) {
        world().abort(code.into())
    }
}
