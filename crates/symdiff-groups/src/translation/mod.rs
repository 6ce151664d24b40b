//! T(n): the translations of ℝⁿ.
//!
//! They are not compact and have no uniform law, so T(n) is no [`crate::CompactGroup`]:
//!
//! ```compile_fail
//! use symdiff_groups::{CompactGroup, Translations};
//! fn needs_haar(_: impl CompactGroup) {}
//! needs_haar(Translations::new(3)); // the trait bound `Translations: CompactGroup` is not satisfied
//! ```
//!
//! Symmetrise over them by centring instead: the [centre](Centred) of a state is an equivariant map onto T(n).

mod action;
mod centre;
mod element;
mod lie;

pub use centre::Centred;
pub use element::Shifts;

use crate::{Group, Result};
use candle_core::Tensor;
use symdiff_ops::Batched;

/// The translations of ℝⁿ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translations {
    n: usize,
}

impl Translations {
    /// T(n) for a positive n.
    pub fn new(n: usize) -> Self {
        Self { n }
    }

    /// The dimension n.
    pub fn n(&self) -> usize {
        self.n
    }
}

impl Group for Translations {
    type Element = Shifts;

    fn inverse(&self, g: &Shifts) -> Result<Shifts> {
        Ok(Shifts::trusted(g.as_tensor().neg()?))
    }

    fn identity(&self, like: &impl Batched) -> Result<Shifts> {
        Ok(Shifts::trusted(Tensor::zeros((like.samples().len(), self.n), like.dtype(), &like.device())?))
    }
}
