//! The orthogonal factor of 3×3 matrices by Gram–Schmidt, on columns or on rows.
//!
//! On columns, A = Q·R with R upper triangular and diag R > 0, and GS(g·A) = g·GS(A) for orthogonal g. On rows, A = L·Q with L lower
//! triangular, and GS(A·g) = GS(A)·g. Q lies in O(3): det Q = sign det A. A matrix of rank below two has no such factor, and gives NaN.
//!
//! # Shapes
//! A `[B, 3, 3]` → Q `[B, 3, 3]`.
//!
//! # Cost
//! About 100 operations per matrix, in f64 whatever the dtype: f32 loses orthogonality on ill-conditioned input. The second and third
//! vector are orthogonalised twice.
//!
//! # Source
//! The gradient is that of the QR decomposition: dA = (dQ + Q·S)·R⁻ᵀ with S the symmetric matrix whose lower triangle is that of
//! −dQᵀ·Q (Walter and Lehmann, arXiv 1009.6112).

mod cpu;
#[cfg(kernels)]
mod cuda;

use crate::dispatch::{alike, on_device};
use crate::{Pullback, Result, fused, shape};
use candle_core::Tensor;

const OP: &str = "gram_schmidt3";

/// Which vectors of the matrix are orthonormalised, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The columns: equivariant under multiplication from the left.
    Columns,
    /// The rows: equivariant under multiplication from the right.
    Rows,
}

/// The orthogonal factor of each matrix, differentiable.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) unless a is `[B, 3, 3]`.
pub fn gram_schmidt3(a: &Tensor, by: By) -> Result<Tensor> {
    fused(OP, &[a], |inputs| {
        let a = inputs[0].clone();
        let q = forward(&a, by)?;
        let pullback: Pullback = Box::new(move |gradient| Ok(vec![Some(backward(&a, gradient, by)?)]));
        Ok((q, pullback))
    })
}

/// [`gram_schmidt3()`] without a graph.
///
/// # Errors
/// As [`gram_schmidt3()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn forward(a: &Tensor, by: By) -> Result<Tensor> {
    alike(OP, &[("a", a)])?;
    check("a", a)?;
    on_device!(OP, a, kernels => cuda::forward(a, by), cpu::<T> => cpu::forward::<T>(a, by))
}

/// ∂/∂A, `[B, 3, 3]`.
///
/// # Errors
/// As [`forward`].
pub fn backward(a: &Tensor, gradient: &Tensor, by: By) -> Result<Tensor> {
    alike(OP, &[("a", a), ("gradient", gradient)])?;
    check("a", a)?;
    shape::exact(OP, "gradient", gradient, a.dims(), "the shape of a")?;
    on_device!(OP, a, kernels => cuda::backward(a, gradient, by), cpu::<T> => cpu::backward::<T>(a, gradient, by))
}

fn check(what: &'static str, tensor: &Tensor) -> Result<()> {
    match tensor.dims() {
        [_, 3, 3] => Ok(()),
        _ => Err(shape::refused(OP, what, tensor, "[B, 3, 3]")),
    }
}
