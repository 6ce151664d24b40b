//! Sums over several GPUs by NVIDIA's NCCL, one process a GPU.
//!
//! Signatures never differ: without the feature `nccl`, joining is an error.
//!
//! # Numerics
//! NCCL chooses the order of additions by message size and topology, so sums agree with those of another number of processes to rounding. Every process
//! gets the same bits.

#[cfg_attr(not(feature = "nccl"), path = "absent.rs")]
mod communicator;

pub use communicator::Communicator;

/// What the processes of one job recognise each other by: made by one of them, given to all.
pub type Id = [u8; 128];
