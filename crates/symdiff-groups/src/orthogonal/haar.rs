//! Haar draws by Gram–Schmidt of normal matrices.
//!
//! A matrix A of independent normals has a law invariant under A ↦ gA. Gram–Schmidt on columns is left-equivariant, GS(gA) = g·GS(A), so
//! the law of GS(A) is invariant under left translation: it is Haar.
//!
//! # Source
//! Mezzadri, "How to generate random matrices from the classical compact groups", arXiv math-ph/0609050.

use super::orthonormal::{Side, orthonormalised};
use super::{Matrices, MatrixGroup, Orthogonal, SpecialOrthogonal};
use crate::{CompactGroup, Result};
use symdiff_ops::{Batched, Noise};

/// Draws normals `[B, n, n]` and keeps their Gram–Schmidt factor on columns.
impl CompactGroup for Orthogonal {
    fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Matrices> {
        let n = self.n();
        let normals = noise.normal(&like.samples(), &[n, n], like.dtype(), &like.device())?;
        orthonormalised("Haar draw from O(n)", &normals, Side::Columns, false).map(Matrices::trusted)
    }
}

/// Draws normals `[B, n, n]`; the last column of their Gram–Schmidt factor takes the sign that makes the determinant 1.
impl CompactGroup for SpecialOrthogonal {
    fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Matrices> {
        let n = self.n();
        let normals = noise.normal(&like.samples(), &[n, n], like.dtype(), &like.device())?;
        orthonormalised("Haar draw from SO(n)", &normals, Side::Columns, true).map(Matrices::trusted)
    }
}
