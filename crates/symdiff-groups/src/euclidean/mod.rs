//! E(n) and SE(n): x ↦ R·x + t, with R in O(n) or SO(n).
//!
//! Not compact, as T(n) is not; but its quotient by T(n) is, so a kernel that is already equivariant under translations can be made
//! equivariant under all of E(n): see [`crate::Cosets`].

mod action;
mod element;
mod lie;
mod subgroup;

pub use element::Motions;

use crate::{Group, MatrixGroup, MetricGroup, Orthogonal, Result, SpecialOrthogonal, Translations};
use candle_core::Tensor;
use symdiff_ops::Batched;

/// The Euclidean group over the matrix group `L`: E(n) over O(n), SE(n) over SO(n).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EuclideanGroup<L> {
    linear: L,
}

impl EuclideanGroup<Orthogonal> {
    /// E(n): rotations, reflections and translations of ℝⁿ.
    pub fn new(n: usize) -> Self {
        Self { linear: Orthogonal::new(n) }
    }
}

impl EuclideanGroup<SpecialOrthogonal> {
    /// SE(n): rotations and translations of ℝⁿ.
    pub fn special(n: usize) -> Self {
        Self { linear: SpecialOrthogonal::new(n) }
    }
}

impl<L: MatrixGroup> EuclideanGroup<L> {
    /// The motions whose matrices R lie in `linear`.
    pub fn over(linear: L) -> Self {
        Self { linear }
    }

    /// The group of the matrices R.
    pub fn linear(&self) -> &L {
        &self.linear
    }

    fn translations(&self) -> Translations {
        Translations::new(self.linear.n())
    }
}

impl<L: MatrixGroup> Group for EuclideanGroup<L> {
    type Element = Motions;

    /// (R, t)⁻¹ = (R⁻¹, −R⁻¹·t).
    fn inverse(&self, g: &Motions) -> Result<Motions> {
        let back = self.linear.inverse(g.linear())?;
        let shift = self.translations().inverse(&g.shift().rotated(&back)?)?;
        Ok(Motions::trusted(back, shift))
    }

    fn identity(&self, like: &impl Batched) -> Result<Motions> {
        Ok(Motions::trusted(self.linear.identity(like)?, self.translations().identity(like)?))
    }
}

/// The distance of the matrices plus that of the translations.
impl<L: MatrixGroup + MetricGroup> MetricGroup for EuclideanGroup<L> {
    fn distance(&self, g: &Motions, h: &Motions) -> Result<Tensor> {
        let turned = self.linear.distance(g.linear(), h.linear())?;
        Ok((turned + self.translations().distance(g.shift(), h.shift())?)?)
    }
}
