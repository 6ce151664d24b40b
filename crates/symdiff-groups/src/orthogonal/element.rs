//! A batch of orthogonal matrices.

use super::orthonormal;
use super::{MatrixGroup, Orthogonal, SpecialOrthogonal};
use crate::states::observed;
use crate::{Error, Observe, Result};
use candle_core::{DType, Device, Tensor};
use symdiff_ops::{Batched, Samples};

/// One orthogonal matrix per sample, `[B, n, n]`: an element of O(n), SO(n) or another [`MatrixGroup`].
#[derive(Clone, Debug)]
pub struct Matrices(Tensor);

impl Matrices {
    /// The matrices, `[B, n, n]`, to look at.
    pub fn as_tensor(&self) -> &Tensor {
        &self.0
    }

    /// The number of samples, B.
    pub fn len(&self) -> usize {
        self.0.dims()[0]
    }

    /// True when there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The dimension n.
    pub fn n(&self) -> usize {
        self.0.dims()[1]
    }

    pub(crate) fn trusted(matrices: Tensor) -> Self {
        Self(matrices)
    }

    /// The identity of n dimensions for each sample of `like`.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn identity(n: usize, like: &impl Batched) -> Result<Self> {
        let one = Tensor::eye(n, like.dtype(), &like.device())?;
        Ok(Self(one.unsqueeze(0)?.repeat((like.samples().len(), 1, 1))?))
    }

    /// The inverse, which for orthogonal matrices is the transpose.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn inverse(&self) -> Result<Self> {
        Ok(Self(self.0.transpose(1, 2)?.contiguous()?))
    }

    /// diag(−1, 1, …, 1) for the samples where `mirrored`, the identity for the others.
    pub(super) fn mirror(n: usize, mirrored: &[bool], like: &impl Batched) -> Result<Self> {
        let mut values = vec![0.0; mirrored.len() * n * n];
        for (matrix, &mirrored) in values.chunks_exact_mut(n * n).zip(mirrored) {
            (0..n).for_each(|i| matrix[i * (n + 1)] = if mirrored && i == 0 { -1.0 } else { 1.0 });
        }
        Ok(Self(Tensor::from_vec(values, (mirrored.len(), n, n), &like.device())?.to_dtype(like.dtype())?))
    }

    /// The counter-clockwise rotation of the plane by each angle; the x axis is mirrored first where `mirrored`.
    pub(crate) fn planar(angles: &[f64], mirrored: &[bool], like: &impl Batched) -> Result<Self> {
        let entries = angles.iter().zip(mirrored).flat_map(|(angle, &mirrored)| {
            let (s, c) = angle.sin_cos();
            if mirrored { [c, s, s, -c] } else { [c, -s, s, c] }
        });
        let values: Vec<f64> = entries.collect();
        Ok(Self(Tensor::from_vec(values, (angles.len(), 2, 2), &like.device())?.to_dtype(like.dtype())?))
    }

    /// g·h, both `[B, n, n]`.
    pub(super) fn product(&self, h: &Self) -> Result<Self> {
        if self.0.dims() != h.0.dims() {
            let expected = format!("{:?}, as the other factor", self.0.dims());
            return Err(Error::Shape { what: "product of orthogonal matrices", got: h.0.dims().to_vec(), expected });
        }
        Ok(Self(self.0.matmul(&h.0)?))
    }
}

impl Orthogonal {
    /// The elements whose matrices are `matrices`, `[B, n, n]`.
    ///
    /// # Errors
    /// When a matrix departs from orthogonality by more than rounding, or the shape is another.
    pub fn element(&self, matrices: &Tensor) -> Result<Matrices> {
        checked("element of O(n)", self.n(), matrices)
    }
}

impl SpecialOrthogonal {
    /// The elements whose matrices are `matrices`, `[B, n, n]`.
    ///
    /// # Errors
    /// When a matrix departs from orthogonality by more than rounding or is a reflection, or the shape is another.
    pub fn element(&self, matrices: &Tensor) -> Result<Matrices> {
        let what = "element of SO(n)";
        let element = checked(what, self.n(), matrices)?;
        let signs = orthonormal::determinant_signs(&element.0)?;
        match signs.iter().position(|&sign| sign < 0.0) {
            Some(sample) => Err(Error::NotAnElement { what, sample, why: "has determinant -1; use O(n) for reflections".into() }),
            None => Ok(element),
        }
    }
}

/// The largest |`MᵀM` − 1| of matrices that count as orthogonal: a thousand roundings in f64 and f32, which is room for matrices that were stored
/// in text. In half precision each of the n products of an entry may be off by two roundings.
fn tolerance(dtype: DType, n: usize) -> f64 {
    if dtype == DType::F64 {
        1e3 * f64::EPSILON
    } else if dtype == DType::F32 {
        1e3 * f64::from(f32::EPSILON)
    } else {
        let digits = if dtype == DType::F16 { 10 } else { 7 };
        2.0 * n as f64 * f64::powi(2.0, -digits)
    }
}

/// The matrices, if they are orthogonal.
fn checked(what: &'static str, n: usize, matrices: &Tensor) -> Result<Matrices> {
    if matrices.rank() != 3 || matrices.dims()[1..] != [n, n] {
        return Err(Error::Shape { what, got: matrices.dims().to_vec(), expected: format!("[B, {n}, {n}]") });
    }
    let tolerance = tolerance(matrices.dtype(), n);
    let m = matrices.detach().to_dtype(DType::F64)?;
    let excess = m.transpose(1, 2)?.contiguous()?.matmul(&m)?.broadcast_sub(&Tensor::eye(n, DType::F64, m.device())?)?;
    let excess: Vec<f64> = excess.abs()?.flatten_from(1)?.max(1)?.to_vec1()?;
    match excess.iter().position(|&e| e.is_nan() || e > tolerance) {
        Some(sample) => {
            let why = format!("departs from orthogonality by {:.1e} (allowed: {tolerance:.1e}); project it with a chart", excess[sample]);
            Err(Error::NotAnElement { what, sample, why })
        }
        None => Ok(Matrices(matrices.clone())),
    }
}

/// n² numbers, row by row.
impl Observe for Matrices {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        observed(&self.0)
    }
}

impl Batched for Matrices {
    fn samples(&self) -> Samples {
        Samples::numbered(self.len())
    }

    fn device(&self) -> Device {
        self.0.device().clone()
    }

    fn dtype(&self) -> DType {
        self.0.dtype()
    }
}
