//! O(n) and SO(n): orthogonal matrices, and those of determinant 1.

mod action;
mod charts;
mod element;
mod haar;
mod lie;
pub(crate) mod orthonormal;
mod subgroup;

pub use charts::{GramSchmidt, Polar, Quaternion, SixD};
pub use element::Matrices;

use crate::{Group, Result};
use symdiff_ops::Batched;

/// O(n): all R with `RᵀR` = 1, rotations and reflections of ℝⁿ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orthogonal {
    n: usize,
}

/// SO(n): all R with `RᵀR` = 1 and det R = 1, the rotations of ℝⁿ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialOrthogonal {
    n: usize,
}

/// A compact group of orthogonal matrices: O(n) or SO(n). States on which both act the same way implement [`crate::Action`] once, for
/// every `G: MatrixGroup`.
pub trait MatrixGroup: Group<Element = Matrices> + sealed::Sealed {
    /// The dimension n of the space the matrices act on.
    fn n(&self) -> usize;
}

impl Orthogonal {
    /// O(n) for a positive n.
    pub fn new(n: usize) -> Self {
        Self { n }
    }
}

impl SpecialOrthogonal {
    /// SO(n) for a positive n.
    pub fn new(n: usize) -> Self {
        Self { n }
    }
}

impl MatrixGroup for Orthogonal {
    fn n(&self) -> usize {
        self.n
    }
}

impl MatrixGroup for SpecialOrthogonal {
    fn n(&self) -> usize {
        self.n
    }
}

impl Group for Orthogonal {
    type Element = Matrices;

    fn inverse(&self, g: &Matrices) -> Result<Matrices> {
        g.transposed()
    }

    fn identity(&self, like: &impl Batched) -> Result<Matrices> {
        Matrices::identity(self.n, like)
    }
}

impl Group for SpecialOrthogonal {
    type Element = Matrices;

    fn inverse(&self, g: &Matrices) -> Result<Matrices> {
        g.transposed()
    }

    fn identity(&self, like: &impl Batched) -> Result<Matrices> {
        Matrices::identity(self.n, like)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Orthogonal {}
    impl Sealed for super::SpecialOrthogonal {}
}
