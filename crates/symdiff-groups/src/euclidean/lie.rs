//! Exponential and logarithm of SE(2) and SE(3): screw motions.
//!
//! Moving with angular velocity ω and velocity v for unit time turns by R = exp(ω) and shifts by V(ω)·v with V(ω) = ∫₀¹ exp(s·ω) ds. For θ = |ω|,
//!
//!   V(ω)·v   = a·v + c·ω×v + d·ω·(ω·v),   a = sin θ/θ,   c = (1 − cos θ)/θ²,   d = (1 − a)/θ²,
//!   V(ω)⁻¹·v = v − ½·ω×v + e·ω×(ω×v),     e = (1 − ½·θ·cot ½θ)/θ².
//!
//! The plane is the case ω = (0, 0, θ). Whatever d and e lose to cancellation at small θ, they are multiplied by θ².
//!
//! # Source
//! Solà, Deray, Atchuthan, "A micro Lie theory for state estimation in robotics", arXiv 1812.01537, appendices C and D.

use super::{EuclideanGroup, Motions};
use crate::orthogonal::orthonormal::cross;
use crate::{Error, LieGroup, MatrixGroup, Result, Shifts, SpecialOrthogonal};
use candle_core::{DType, Tensor};

/// ω, as for SO(n), then v: `[B, 3]` for n = 2, `[B, 6]` for n = 3. No other n.
impl LieGroup for EuclideanGroup<SpecialOrthogonal> {
    fn dimension(&self) -> usize {
        self.linear.dimension() + self.linear.n()
    }

    fn exp(&self, algebra: &Tensor) -> Result<Motions> {
        let turning = self.linear.dimension();
        if algebra.rank() != 2 || algebra.dims()[1] != self.dimension() {
            let (got, expected) = (algebra.dims().to_vec(), format!("[B, {}]", self.dimension()));
            return Err(Error::Shape { what: "exponential of SE(n)", got, expected });
        }
        let (omega, v) = (algebra.narrow(1, 0, turning)?, algebra.narrow(1, turning, self.linear.n())?);
        let linear = self.linear.exp(&omega.contiguous()?)?;
        let (omega, v) = (in_space(&omega)?, in_space(&v)?);
        let (theta, half) = angles(&omega)?;
        let a = (theta.sin()? / &theta)?;
        let c = ((half.sin()? / &half)?.sqr()? * 0.5)?;
        let d = ((1.0 - &a)? / theta.sqr()?)?;
        let along = (&omega * &v)?.sum_keepdim(1)?;
        let turned = cross(&omega, &v)?.broadcast_mul(&c)?;
        let moved = ((v.broadcast_mul(&a)? + turned)? + omega.broadcast_mul(&(along * d)?)?)?;
        Ok(Motions::trusted(linear, Shifts::trusted(self.back(&moved, algebra.dtype())?)))
    }

    fn log(&self, g: &Motions) -> Result<Tensor> {
        let turn = self.linear.log(g.linear())?;
        let shift = crate::untracked("logarithm of SE(n)", g.shift().as_tensor())?;
        let (omega, t) = (in_space(&turn)?, in_space(&shift)?);
        let (theta, half) = angles(&omega)?;
        let e = ((1.0 - (&half * (half.cos()? / half.sin()?)?)?)? / theta.sqr()?)?;
        let once = cross(&omega, &t)?;
        let twice = cross(&omega, &once)?.broadcast_mul(&e)?;
        let v = self.back(&((t - (once * 0.5)?)? + twice)?, turn.dtype())?;
        Ok(Tensor::cat(&[turn, v], 1)?)
    }
}

impl EuclideanGroup<SpecialOrthogonal> {
    /// The first n of three coordinates.
    fn back(self, vectors: &Tensor, dtype: DType) -> Result<Tensor> {
        Ok(vectors.narrow(1, 0, self.linear.n())?.to_dtype(dtype)?.contiguous()?)
    }
}

/// `[B, 3]` in f64: an angle stands for its axis (0, 0, 1), a vector of the plane has height 0.
fn in_space(vectors: &Tensor) -> Result<Tensor> {
    let x = vectors.to_dtype(DType::F64)?;
    Ok(match x.dims()[1] {
        1 => x.pad_with_zeros(1, 2, 0)?,
        2 => x.pad_with_zeros(1, 0, 1)?,
        _ => x,
    })
}

/// |ω| and half of it, `[B, 1]`, kept from zero by less than a rounding of one radian.
fn angles(omega: &Tensor) -> Result<(Tensor, Tensor)> {
    let theta = (omega.sqr()?.sum_keepdim(1)? + 1e-32)?.sqrt()?;
    let half = (&theta * 0.5)?;
    Ok((theta, half))
}
