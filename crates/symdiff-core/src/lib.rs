#![doc = include_str!("../README.md")]
//!
//! # Layer 2
//!
//! A Markov kernel k(dy | x) is stochastically equivariant when sampling it at g·x has the law of g·(sampling it at x). [`Symmetrised`]
//! makes any kernel so, given an equivariant kernel γ(dg | x) on the group; and γ itself is made from any network in the same way, starting
//! from the Haar measure ([`Haar`]).
#![cfg_attr(docsrs, feature(doc_cfg))]

mod average;
mod closure;
mod error;
mod ext;
mod gamma;
mod kernel;
mod network;
mod objective;
mod symmetrised;
pub mod testing;

pub use average::{AllElements, Averaged, Frame, Frames, MeanOf};
pub use closure::{Draw, Map};
pub use error::{Error, Result};
pub use ext::MarkovKernelExt;
pub use gamma::{Centroid, Charted, CosetHaar, GroupKernel, Haar, Identity, On, OnGroup, PointFrames, PrincipalAxes, Scatter};
pub use kernel::MarkovKernel;
pub use network::{Network, Raw};
pub use objective::{RaoBlackwell, jensen_bound};
pub use symmetrised::{Learned, Symmetrised};

// So that a crate needs to name this one and `symdiff-groups` alone.
pub use symdiff_ops::{Batched, Euclidean, Noise, Ragged, Recording, Samples};
