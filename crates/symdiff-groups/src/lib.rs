#![doc = include_str!("../README.md")]
//!
//! # Layer 1
//!
//! An [`Group::Element`] holds one group element per sample of a batch. Elements are made only by `identity`, `haar`, `project`, `compose`, `inverse` and
//! checking constructors, and used only by `act`: no bare matrix product of group elements occurs outside this crate, so that left and
//! right cannot be confused.
//!
//! Points are rows: R·x is x·Rᵀ in matrices, hence R⁻¹·x = x·R.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cyclic;
mod dihedral;
mod error;
mod euclidean;
#[doc(hidden)]
pub mod macro_support;
mod macros;
mod orthogonal;
mod permutation;
mod product;
mod rows;
mod states;
pub mod testing;
mod traits;
mod translation;

pub use cyclic::{Argmax, Cyclic, Turns};
pub use dihedral::{Dihedral, Symmetries};
pub use error::{Error, Result};
pub use euclidean::{EuclideanGroup, Motions};
pub use orthogonal::{GramSchmidt, Matrices, MatrixGroup, Orthogonal, Polar, Quaternion, SixD, SpecialOrthogonal};
pub use permutation::{Argsort, Permutations, Symmetric};
pub use product::{Pair, Product};
pub use states::{Cloud, Dense, Field, Fixed, Graph, Image, Points, Sequence, Set, Vectors};
pub use traits::{Action, Chart, CompactGroup, Cosets, FiniteGroup, Group, LieGroup, MetricGroup, Observe, Subgroup};
pub use translation::{Centred, Shifts, Translations};

use candle_core::Tensor;
use symdiff_ops::Error::{DType, Device};

/// The answer of an op, or `None` where it has no code for the dtype or the device, and Candle's own operations have to do.
pub(crate) fn if_served(answer: symdiff_ops::Result<Tensor>) -> Result<Option<Tensor>> {
    match answer {
        Ok(tensor) => Ok(Some(tensor)),
        Err(DType { .. } | Device { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `tensor` without its graph, refused when that would lose a gradient.
pub(crate) fn untracked(what: &'static str, tensor: &Tensor) -> Result<Tensor> {
    if tensor.track_op() { Err(Error::Tracked { what }) } else { Ok(tensor.detach()) }
}
