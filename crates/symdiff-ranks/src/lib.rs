#![doc = include_str!("../README.md")]
//!
//! # Layer 5
//!
//! [`Launched`] is what the launcher of a process says of it, known before anything is joined. [`Processes`] are the joined processes, as the
//! [`Ranks`](symdiff_train::Ranks) of a training loop; [`engines`] tells what can join them here.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod gpus;
mod launcher;
#[cfg(feature = "mpi")]
mod mpi;
mod processes;
mod rendezvous;

pub use launcher::{Launched, Launcher};
pub use processes::{Processes, engines};
