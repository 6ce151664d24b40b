//! One 3×3 matrix a sample, applied to its points: y = x·gᵀ, or y = x·g for the inverse of an orthogonal g.
//!
//! # Shapes
//! x `[N, 3]`, g `[B, 3, 3]` → y `[N, 3]`.
//!
//! # Cost
//! 18·N operations; bound by memory. The gradient of x is the op itself with the other orientation.

mod cpu;
#[cfg(kernels)]
mod cuda;

#[cfg(kernels)]
use crate::gpu;
use crate::host::{elsewhere, with_real};
use crate::{Pullback, Ragged, Result, fused, shape};
use candle_core::{Device, Tensor};

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
/// As [`rotate()`].
pub fn forward(x: &Tensor, g: &Tensor, layout: &Ragged, inverse: bool) -> Result<Tensor> {
    shape::exact(OP, "x", x, &[layout.nodes(), 3], "one point a node")?;
    shape::exact(OP, "g", g, &[layout.len(), 3, 3], "one matrix a sample")?;
    match x.device() {
        #[cfg(kernels)]
        device if gpu::serves(device) => cuda::forward(x, g, layout, inverse),
        Device::Cpu => with_real!(OP, x, T => cpu::forward::<T>(x, g, layout, inverse)),
        device => Err(elsewhere(OP, device)),
    }
}

/// ∂/∂g: `Σ_j` `dy_j` ⊗ `x_j` over each sample, transposed when `inverse`, `[B, 3, 3]`.
///
/// # Errors
/// As [`rotate()`].
pub fn backward_matrix(x: &Tensor, gradient: &Tensor, layout: &Ragged, inverse: bool) -> Result<Tensor> {
    shape::exact(OP, "x", x, &[layout.nodes(), 3], "one point a node")?;
    shape::exact(OP, "gradient", gradient, &[layout.nodes(), 3], "one vector a node")?;
    match x.device() {
        #[cfg(kernels)]
        device if gpu::serves(device) => cuda::backward_matrix(x, gradient, layout, inverse),
        Device::Cpu => with_real!(OP, x, T => cpu::backward_matrix::<T>(x, gradient, layout, inverse)),
        device => Err(elsewhere(OP, device)),
    }
}
