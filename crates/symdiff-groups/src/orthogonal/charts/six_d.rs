//! The six-dimensional chart of SO(3).

use super::super::orthonormal::{Side, orthonormalised};
use super::super::{Matrices, MatrixGroup, SpecialOrthogonal};
use crate::{Chart, Error, Result};
use candle_core::Tensor;

/// Two vectors, `[B, 6]` (first the one, then the other), become the first two columns by Gram–Schmidt; the third is their cross product.
///
/// Continuous and onto, with f(g·a, g·b) = g·f(a, b).
///
/// # Source
/// Zhou, Barnes, Lu, Yang, Li, "On the continuity of rotation representations in neural networks", arXiv 1812.07035.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SixD;

impl Chart<SpecialOrthogonal> for SixD {
    fn project(&self, group: &SpecialOrthogonal, raw: &Tensor) -> Result<Matrices> {
        let what = "six-dimensional chart of SO(3)";
        let &[b, 6] = raw.dims() else {
            return Err(Error::Shape { what, got: raw.dims().to_vec(), expected: "[B, 6]".into() });
        };
        super::quaternion::require_three(what, group.n())?;
        let two = raw.reshape((b, 2, 3))?;
        let rows = Tensor::cat(&[&two, &two.narrow(1, 0, 1)?], 1)?;
        orthonormalised(what, &rows.transpose(1, 2)?.contiguous()?, Side::Columns, true).map(Matrices::trusted)
    }
}
