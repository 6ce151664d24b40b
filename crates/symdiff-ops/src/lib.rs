#![doc = include_str!("../README.md")]
//!
//! # Layer 0
//!
//! Nothing here depends on a group, a network or an atom. Three ideas:
//!
//! - [`Ragged`]: samples of different sizes packed one after the other. There is no padded tensor and no mask that an op could forget.
//! - [`Noise`]: random numbers as a function of a key. A draw consumes its stream, so using a stream twice does not compile.
//! - ops: fused routines with CPU (and, with the feature `cuda`, CUDA) forward and backward passes. [`fused()`] makes one graph node of
//!   several operations, [`stack::Stack`] runs a deep network of them on all threads.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod ada_layer_norm;
pub mod adamw;
#[cfg(kernels)]
pub mod agreement;
pub mod columns;
pub mod device;
mod dispatch;
pub mod edge_message;
#[cfg(feature = "emulate")]
pub mod emulate;
mod error;
mod euclidean;
mod fill;
mod fused;
pub mod gated_residual;
pub mod gelu;
#[cfg(kernels)]
mod gpu;
mod gradients;
pub mod gram_schmidt3;
mod host;
pub mod linear;
pub mod nccl;
mod noise;
pub mod pair_gaussian_mean;
pub mod panel;
mod product;
mod ragged;
pub mod ragged_attention;
mod replaced;
pub mod rotate;
pub mod segment;
mod shape;
pub mod silu;
mod simd;
pub mod stack;
pub mod swiglu;
pub mod threads;

pub use ada_layer_norm::ada_layer_norm;
pub use edge_message::{Divisor, EdgeMlp, Pairs, Reach, edge_displacement, edge_message};
pub use error::{Error, Result};
pub use euclidean::Euclidean;
pub use fused::{Gradual, Pullback, fused, gradual};
pub use gated_residual::gated_residual;
pub use gelu::gelu;
pub use gradients::{gradients, gradients_as_found};
pub use gram_schmidt3::gram_schmidt3;
pub use linear::linear;
pub use noise::{Noise, Recording, Steps};
pub use pair_gaussian_mean::pair_gaussian_mean;
pub use panel::Panel;
pub use product::Products;
pub use ragged::{Batched, Ragged, Samples};
pub use ragged_attention::ragged_attention;
pub use rotate::rotate;
pub use segment::{centre, segment_mean, segment_sum, spread};
pub use silu::silu;
pub use swiglu::swiglu;
