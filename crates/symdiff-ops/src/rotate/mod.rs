//! One 3×3 matrix per sample, applied to its points: y = x·gᵀ, or y = x·g for the inverse of an orthogonal g.
//!
//! # Shapes
//! x `[N, 3]`, g `[B, 3, 3]` → y `[N, 3]`.
//!
//! # Cost
//! 18·N operations; bound by memory. The gradient of x is the op itself with the other orientation.

mod cpu;
#[cfg(kernels)]
mod cuda;

use crate::dispatch::{alike, on_device};
use crate::{Pullback, Ragged, Result, fused, shape};
use candle_core::Tensor;

const OP: &str = "rotate";

/// Row j of sample i becomes `g_i·x_j` (`x_j·g_iᵀ` as a row), or `x_j·g_i` when `inverse`; differentiable in both.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) unless x is `[N, 3]` and g `[B, 3, 3]`.
pub fn rotate(x: &Tensor, g: &Tensor, layout: &Ragged, inverse: bool) -> Result<Tensor> {
    fused(OP, &[x, g], |inputs| {
        let (x, g, layout) = (inputs[0].clone(), inputs[1].clone(), layout.clone());
        let y = forward(&x, &g, &layout, inverse)?;
        let pullback: Pullback = Box::new(move |gradient| {
            Ok(vec![Some(forward(gradient, &g, &layout, !inverse)?), Some(backward_matrix(&x, gradient, &layout, inverse)?)])
        });
        Ok((y, pullback))
    })
}

/// [`rotate()`] without a graph.
///
/// # Errors
/// As [`rotate()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn forward(x: &Tensor, g: &Tensor, layout: &Ragged, inverse: bool) -> Result<Tensor> {
    alike(OP, &[("x", x), ("g", g)])?;
    shape::exact(OP, "x", x, &[layout.nodes(), 3], "one point per node")?;
    shape::exact(OP, "g", g, &[layout.len(), 3, 3], "one matrix per sample")?;
    on_device!(OP, x, kernels => cuda::forward(x, g, layout, inverse), cpu::<T> => cpu::forward::<T>(x, g, layout, inverse))
}

/// ∂/∂g: `Σ_j` `dy_j` ⊗ `x_j` over each sample, transposed when `inverse`, `[B, 3, 3]`.
///
/// # Errors
/// As [`forward`].
pub fn backward_matrix(x: &Tensor, gradient: &Tensor, layout: &Ragged, inverse: bool) -> Result<Tensor> {
    alike(OP, &[("x", x), ("gradient", gradient)])?;
    shape::exact(OP, "x", x, &[layout.nodes(), 3], "one point per node")?;
    shape::exact(OP, "gradient", gradient, &[layout.nodes(), 3], "one vector per node")?;
    on_device!(OP, x, kernels => cuda::backward_matrix(x, gradient, layout, inverse), cpu::<T> => cpu::backward_matrix::<T>(x, gradient, layout, inverse))
}
