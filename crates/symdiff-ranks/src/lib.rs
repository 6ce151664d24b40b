//! Layer 5: the processes of a job, joined by engines that exist: MPI, and NCCL between GPUs.
//!
//! [`Launched`] is what the launcher of a process says of it, known before anything is joined. [`Processes`] are the joined processes, as the
//! [`Ranks`](symdiff_train::Ranks) of a training loop. Without the features `mpi` and `nccl` neither engine is compiled, and a process that was started as one of
//! several is refused with a sentence that names the feature.

mod gpus;
mod launcher;
#[cfg(feature = "mpi")]
mod mpi;
mod processes;
mod rendezvous;

pub use launcher::{Launched, Launcher};
pub use processes::Processes;
