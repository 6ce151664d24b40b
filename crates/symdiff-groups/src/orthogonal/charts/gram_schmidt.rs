//! Gram–Schmidt.

use super::super::orthonormal::{Side, orthonormalised};
use super::super::{Matrices, MatrixGroup, Orthogonal, SpecialOrthogonal};
use super::square;
use crate::{Chart, Result};
use candle_core::Tensor;

/// Gram–Schmidt orthonormalisation of raw matrices `[B, n, n]`, or `[B, n²]` in row-major order, computed in f64.
///
/// On columns (the default) it is the orthogonal factor of a QR decomposition with positive diagonal and left-equivariant: GS(gA) = g·GS(A).
/// On rows it is right-equivariant: GS(Ag) = GS(A)·g.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GramSchmidt(Side);

impl GramSchmidt {
    /// On columns: left-equivariant.
    pub fn columns() -> Self {
        Self(Side::Columns)
    }

    /// On rows: right-equivariant.
    pub fn rows() -> Self {
        Self(Side::Rows)
    }
}

impl Default for GramSchmidt {
    fn default() -> Self {
        Self::columns()
    }
}

impl Chart<Orthogonal> for GramSchmidt {
    fn project(&self, group: &Orthogonal, raw: &Tensor) -> Result<Matrices> {
        let what = "Gram-Schmidt chart of O(n)";
        orthonormalised(what, &square(what, group.n(), raw)?, self.0, false).map(Matrices::trusted)
    }
}

/// The last column (row) serves only in dimensions above 3; below, it follows from the others and the determinant.
impl Chart<SpecialOrthogonal> for GramSchmidt {
    fn project(&self, group: &SpecialOrthogonal, raw: &Tensor) -> Result<Matrices> {
        let what = "Gram-Schmidt chart of SO(n)";
        orthonormalised(what, &square(what, group.n(), raw)?, self.0, true).map(Matrices::trusted)
    }
}
