//! The quaternion chart of SO(3), and the linear map behind it.
//!
//! The rotation of a unit quaternion q is quadratic in q, hence linear in the 4 × 4 matrix P = q·qᵀ: R = L(P). The adjoint of L sends a
//! 3 × 3 matrix A to the symmetric K = L*(A) with ⟨R(q), A⟩ = qᵀ·K·q, whose top eigenvector is the rotation nearest to A
//! (Davenport's q-method). For a rotation R itself, L*(R) = 4·q·qᵀ − 1.

use super::super::{Matrices, MatrixGroup, SpecialOrthogonal};
use crate::{Chart, Error, Result};
use candle_core::{D, DType, Device, Tensor};

/// Quaternions `[B, 4]`, real part first, of any length but zero. q and −q name the same rotation.
///
/// Multiplying the raw quaternion from the left by a unit quaternion multiplies the rotation from the left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quaternion;

impl Chart<SpecialOrthogonal> for Quaternion {
    fn project(&self, group: &SpecialOrthogonal, raw: &Tensor) -> Result<Matrices> {
        let what = "quaternion chart of SO(3)";
        require_three(what, group.n())?;
        if raw.rank() != 2 || raw.dims()[1] != 4 {
            return Err(Error::Shape { what, got: raw.dims().to_vec(), expected: "[B, 4]".into() });
        }
        let q = raw.to_dtype(DType::F64)?;
        let squares = q.sqr()?.sum_keepdim(D::Minus1)?;
        let lengths: Vec<f64> = squares.detach().flatten_all()?.to_vec1()?;
        if let Some(sample) = lengths.iter().position(|&l| l == 0.0 || !l.is_finite()) {
            return Err(Error::NotAnElement { what, sample, why: "has a quaternion of length zero, or one that is not finite".into() });
        }
        let q = q.broadcast_div(&squares.sqrt()?)?;
        let outer = q.unsqueeze(2)?.broadcast_mul(&q.unsqueeze(1)?)?;
        Ok(Matrices::trusted(rotation_of(&outer)?.to_dtype(raw.dtype())?))
    }
}

/// L(P): `[B, 4, 4]` → `[B, 3, 3]`, in f64.
pub(in super::super) fn rotation_of(outer: &Tensor) -> Result<Tensor> {
    let b = outer.dims()[0];
    Ok(outer.reshape((b, 16))?.matmul(&quadratic(outer.device())?.t()?)?.reshape((b, 3, 3))?)
}

/// L*(A): `[B, 3, 3]` → `[B, 4, 4]`, symmetric, in f64.
pub(in super::super) fn outer_of(matrices: &Tensor) -> Result<Tensor> {
    let b = matrices.dims()[0];
    Ok(matrices.reshape((b, 9))?.matmul(&quadratic(matrices.device())?)?.reshape((b, 4, 4))?)
}

pub(super) fn require_three(what: &'static str, n: usize) -> Result<()> {
    if n == 3 { Ok(()) } else { Err(Error::Dimension { what, n, exists: "n = 3" }) }
}

/// The matrix of L, `[9, 16]`: R₀₀ = w² + x² − y² − z², R₀₁ = 2(xy − wz), and so on; q = (w, x, y, z).
fn quadratic(device: &Device) -> Result<Tensor> {
    const PRODUCTS: [[(usize, usize, f64); 2]; 6] = [
        [(1, 2, 1.0), (0, 3, -1.0)], // R₀₁
        [(1, 3, 1.0), (0, 2, 1.0)],  // R₀₂
        [(1, 2, 1.0), (0, 3, 1.0)],  // R₁₀
        [(2, 3, 1.0), (0, 1, -1.0)], // R₁₂
        [(1, 3, 1.0), (0, 2, -1.0)], // R₂₀
        [(2, 3, 1.0), (0, 1, 1.0)],  // R₂₁
    ];
    let mut map = [[0.0; 16]; 9];
    for (entry, products) in [1, 2, 3, 5, 6, 7].into_iter().zip(PRODUCTS) {
        for (i, j, sign) in products {
            map[entry][4 * i + j] = sign;
            map[entry][4 * j + i] = sign;
        }
    }
    for axis in 0..3 {
        for i in 0..4 {
            map[4 * axis][5 * i] = if i == 0 || i == axis + 1 { 1.0 } else { -1.0 };
        }
    }
    Ok(Tensor::new(&map, device)?)
}
