//! The polar (or SVD) chart: the nearest element.

use super::super::{Matrices, MatrixGroup, Orthogonal, SpecialOrthogonal};
use super::{outer_of, rotation_of, square};
use crate::{Chart, Error, Result};
use candle_core::{DType, Tensor};

/// The element nearest to A in Frobenius norm: U·Vᵀ of A = U·S·Vᵀ, `[B, n, n]` or `[B, n²]`, in f64.
///
/// Equivariant on both sides: f(g·A·h) = g·f(A)·h. Onto O(n) for every n, onto SO(n) for n = 2 and 3.
///
/// # Cost
/// At most 128 Newton–Schulz steps for O(n), 40 squarings of a 4 × 4 matrix for SO(3); the gradient goes through them.
///
/// # Source
/// Levinson et al., "An analysis of SVD for deep rotation estimation", arXiv 2006.14616.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Polar;

/// A step makes a small singular value half as large again: 64 of them are too few below 10⁻¹⁰ of the norm, where an alignment of planar or linear
/// molecules may be.
const STEPS: usize = 128;

impl Chart<Orthogonal> for Polar {
    fn project(&self, group: &Orthogonal, raw: &Tensor) -> Result<Matrices> {
        let what = "polar chart of O(n)";
        let a = square(what, group.n(), raw)?.to_dtype(DType::F64)?;
        let mut x = a.broadcast_div(&a.sqr()?.sum_keepdim((1, 2))?.sqrt()?)?;
        let one = Tensor::eye(group.n(), DType::F64, a.device())?;
        for step in 1..=STEPS {
            let gram = x.transpose(1, 2)?.contiguous()?.matmul(&x)?;
            x = ((&x * 1.5)? - (x.matmul(&gram)? * 0.5)?)?;
            let converged = step % 8 == 0 && worst(&gram.broadcast_sub(&one)?)?.1 < 1e-9;
            if converged {
                return Ok(Matrices::trusted(x.to_dtype(raw.dtype())?));
            }
        }
        let (sample, gap) = worst(&x.transpose(1, 2)?.contiguous()?.matmul(&x)?.broadcast_sub(&one)?)?;
        let why =
            format!("has a matrix that is singular or not finite (off by {gap:.1e} after {STEPS} steps); check the network that made it");
        Err(Error::NotAnElement { what, sample, why })
    }
}

impl Chart<SpecialOrthogonal> for Polar {
    fn project(&self, group: &SpecialOrthogonal, raw: &Tensor) -> Result<Matrices> {
        let what = "polar chart of SO(n)";
        let a = square(what, group.n(), raw)?.to_dtype(DType::F64)?;
        let nearest = match group.n() {
            2 => nearest_turn(&a)?,
            3 => nearest_rotation(&a)?,
            n => return Err(Error::Dimension { what, n, exists: "n = 2 and n = 3" }),
        };
        let (sample, gap) = worst(&nearest)?;
        if gap.is_finite() && gap > 0.5 {
            return Ok(Matrices::trusted(nearest.to_dtype(raw.dtype())?));
        }
        Err(Error::NotAnElement { what, sample, why: "has no nearest rotation, or is not finite; check the network that made it".into() })
    }
}

/// The rotation by the angle of (a₀₀ + a₁₁, a₁₀ − a₀₁).
fn nearest_turn(a: &Tensor) -> Result<Tensor> {
    let entry = |i: usize, j: usize| a.narrow(1, i, 1)?.narrow(2, j, 1);
    let (cos, sin) = ((entry(0, 0)? + entry(1, 1)?)?, (entry(1, 0)? - entry(0, 1)?)?);
    let length = (cos.sqr()? + sin.sqr()?)?.sqrt()?;
    let (cos, sin) = ((cos / &length)?, (sin / &length)?);
    Ok(Tensor::cat(&[Tensor::cat(&[&cos, &sin.neg()?], 2)?, Tensor::cat(&[&sin, &cos], 2)?], 1)?)
}

/// Davenport's q-method; the projector onto the top eigenvector is the limit of (K + ‖K‖)^(2^m), normalised.
fn nearest_rotation(a: &Tensor) -> Result<Tensor> {
    let k = outer_of(a)?;
    let norm = k.sqr()?.sum_keepdim((1, 2))?.sqrt()?;
    let one = Tensor::eye(4, DType::F64, a.device())?;
    let mut p = (k + one.broadcast_mul(&norm)?)?;
    for _ in 0..40 {
        p = p.matmul(&p)?;
        p = p.broadcast_div(&one.broadcast_mul(&p)?.sum_keepdim((1, 2))?)?;
    }
    rotation_of(&p)
}

/// The sample with the largest entry in absolute value, and that entry; NaN counts as largest.
fn worst(matrices: &Tensor) -> Result<(usize, f64)> {
    let largest: Vec<f64> = matrices.detach().abs()?.flatten_from(1)?.max(1)?.to_vec1()?;
    let rank = |x: f64| if x.is_nan() { f64::INFINITY } else { x };
    Ok(largest.into_iter().enumerate().max_by(|a, b| rank(a.1).total_cmp(&rank(b.1))).unwrap_or((0, 0.0)))
}
