//! Exponential and logarithm of SO(2) and SO(3), and distances.

use super::charts::{outer_of, rotation_of};
use super::{Matrices, MatrixGroup, Orthogonal, SpecialOrthogonal};
use crate::{Error, LieGroup, MetricGroup, Result, untracked};
use candle_core::{D, DType, Device, Tensor};

/// n = 2: the angle, `[B, 1]`. n = 3: the axis times the angle, `[B, 3]`. No other n.
impl LieGroup for SpecialOrthogonal {
    fn dimension(&self) -> usize {
        self.n() * (self.n() - 1) / 2
    }

    fn exp(&self, algebra: &Tensor) -> Result<Matrices> {
        let what = "exponential of SO(n)";
        let a = algebra.to_dtype(DType::F64)?;
        let matrices = match (self.n(), algebra.dims()) {
            (2, &[_, 1]) => {
                let (cos, sin) = (a.cos()?.unsqueeze(2)?, a.sin()?.unsqueeze(2)?);
                Tensor::cat(&[Tensor::cat(&[&cos, &sin.neg()?], 2)?, Tensor::cat(&[&sin, &cos], 2)?], 1)?
            }
            (3, &[_, 3]) => {
                let half = ((a.sqr()?.sum_keepdim(D::Minus1)? + 1e-200)?.sqrt()? * 0.5)?;
                let q = Tensor::cat(&[&half.cos()?, &a.broadcast_mul(&(half.sin()? / (half * 2.0)?)?)?], 1)?;
                rotation_of(&q.unsqueeze(2)?.broadcast_mul(&q.unsqueeze(1)?)?)?
            }
            (2 | 3, got) => {
                let expected = if self.n() == 2 { "[B, 1], an angle" } else { "[B, 3], axis times angle" };
                return Err(Error::Shape { what, got: got.to_vec(), expected: expected.into() });
            }
            (n, _) => return Err(Error::Dimension { what, n, exists: "n = 2 and n = 3" }),
        };
        Ok(Matrices::trusted(matrices.to_dtype(algebra.dtype())?))
    }

    fn log(&self, g: &Matrices) -> Result<Tensor> {
        let what = "logarithm of SO(n)";
        let m = untracked(what, g.as_tensor())?.to_dtype(DType::F64)?.to_device(&Device::Cpu)?;
        let (values, width) = match self.n() {
            2 => {
                let entries: Vec<Vec<Vec<f64>>> = m.to_vec3()?;
                (entries.iter().map(|r| (r[1][0] - r[0][1]).atan2(r[0][0] + r[1][1])).collect(), 1)
            }
            3 => {
                let outer: Vec<Vec<Vec<f64>>> = outer_of(&m)?.to_vec3()?;
                (outer.iter().flat_map(|k| rotation_vector(k)).collect::<Vec<_>>(), 3)
            }
            n => return Err(Error::Dimension { what, n, exists: "n = 2 and n = 3" }),
        };
        Ok(Tensor::from_vec(values, (g.len(), width), &Device::Cpu)?.to_dtype(g.as_tensor().dtype())?.to_device(g.as_tensor().device())?)
    }
}

/// From K = 4·q·qᵀ − 1: the best-conditioned column of q·qᵀ is q, up to scale; its angle lies in [0, π].
fn rotation_vector(k: &[Vec<f64>]) -> [f64; 3] {
    let best = (0..4).max_by(|&i, &j| k[i][i].total_cmp(&k[j][j])).unwrap_or_default();
    let q: [f64; 4] = std::array::from_fn(|i| k[i][best] + f64::from(u8::from(i == best)));
    let sign = if q[0] < 0.0 { -1.0 } else { 1.0 };
    let sine = (q[1] * q[1] + q[2] * q[2] + q[3] * q[3]).sqrt();
    let scale = if sine > 0.0 { sign * 2.0 * sine.atan2(q[0].abs()) / sine } else { 0.0 };
    [q[1] * scale, q[2] * scale, q[3] * scale]
}

/// ‖g − h‖ in Frobenius norm: invariant on both sides; 2√2·sin(θ/2) for two rotations of ℝ³ an angle θ apart.
impl MetricGroup for Orthogonal {
    fn distance(&self, g: &Matrices, h: &Matrices) -> Result<Tensor> {
        chord(g, h)
    }
}

/// As for O(n).
impl MetricGroup for SpecialOrthogonal {
    fn distance(&self, g: &Matrices, h: &Matrices) -> Result<Tensor> {
        chord(g, h)
    }
}

fn chord(g: &Matrices, h: &Matrices) -> Result<Tensor> {
    Ok((g.as_tensor() - h.as_tensor())?.sqr()?.sum((1, 2))?.sqrt()?)
}
