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

/// A group of orthogonal matrices: O(n), SO(n), or one of your own. States on which they all act by y = R·x implement [`Action`](crate::Action)
/// once, for every `G: MatrixGroup`; so your group acts on [`Points`](crate::Points), [`Cloud`](crate::Cloud), [`Vectors`](crate::Vectors) and
/// [`Field`](crate::Field) as soon as it says what n is.
///
/// The elements of your group are [`Matrices`], made by [`Orthogonal::element`], which checks them, and composed and inverted as in O(n):
///
/// ```
/// use candle_core::{Device, Tensor};
/// use symdiff_groups::{CompactGroup, Group, Matrices, MatrixGroup, Orthogonal, Result};
/// use symdiff_ops::{Batched, Noise};
///
/// /// The point group mm2 of a crystal: the reflections of two coordinate axes of space.
/// #[derive(Clone, Copy)]
/// struct Mm2;
///
/// impl Group for Mm2 {
///     type Element = Matrices;
///     fn inverse(&self, g: &Matrices) -> Result<Matrices> {
///         g.inverse()
///     }
///     fn identity(&self, like: &impl Batched) -> Result<Matrices> {
///         Matrices::identity(3, like)
///     }
/// }
/// impl MatrixGroup for Mm2 {
///     fn n(&self) -> usize {
///         3
///     }
/// }
/// impl CompactGroup for Mm2 {
///     fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Matrices> {
///         let drawn = noise.integers(&like.samples(), 0..4)?;
///         let sign = |bit: u32| if bit == 1 { -1.0 } else { 1.0 };
///         let diagonals: Vec<f64> = drawn.into_iter().flat_map(|k| [sign(k & 1), sign(k >> 1), 1.0]).collect();
///         let one = Tensor::eye(3, like.dtype(), &like.device())?;
///         let diagonals = Tensor::from_vec(diagonals, (like.samples().len(), 1, 3), &like.device())?.to_dtype(like.dtype())?;
///         Orthogonal::new(3).element(&one.unsqueeze(0)?.broadcast_mul(&diagonals)?)
///     }
/// }
/// ```
pub trait MatrixGroup: Group<Element = Matrices> {
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
        g.inverse()
    }

    fn identity(&self, like: &impl Batched) -> Result<Matrices> {
        Matrices::identity(self.n, like)
    }
}

impl Group for SpecialOrthogonal {
    type Element = Matrices;

    fn inverse(&self, g: &Matrices) -> Result<Matrices> {
        g.inverse()
    }

    fn identity(&self, like: &impl Batched) -> Result<Matrices> {
        Matrices::identity(self.n, like)
    }
}
