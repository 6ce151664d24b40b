//! Gaussian features of the distances between a sample's nodes, averaged over the neighbours (self included).
//!
//! ```text
//! y_ik = 1/n · Σ_j φ_k(|x_i − x_j|)      φ_k(d) = exp(−((d − μ_k) / s_k)² / 2) / (√(2·3.14159)·s_k)      s_k = |σ_k| + 0.01
//! ```
//! The sum over neighbours comes before any linear map, and no pair's features are ever stored. The gradient of a distance is zero at
//! distance zero, as that of σ is at σ = 0.
//!
//! # Shapes
//! x `[N, 3]`, means μ `[K]`, sigmas σ `[K]` → y `[N, K]`.
//!
//! # Units
//! Means and sigmas in those of x; y in their inverse.
//!
//! # Cost
//! K·Σ `n_i·(n_i` − 1)/2 exponentials, by `d_ij` = `d_ji`, forward and again backward. Memory beside input and output: one `[n_i, K]` for each
//! running task.
//!
//! # Source
//! The distance embedding of the released SymDiff code, whose π is 3.14159.

mod cpu;
#[cfg(kernels)]
mod cuda;

use crate::dispatch::{alike, on_device};
use crate::{Pullback, Ragged, Result, fused, shape};
use candle_core::Tensor;

const OP: &str = "pair_gaussian_mean";

/// Averaged Gaussian features, differentiable in all three.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) unless x is `[N, 3]` and means and sigmas are vectors of one length.
pub fn pair_gaussian_mean(x: &Tensor, means: &Tensor, sigmas: &Tensor, layout: &Ragged) -> Result<Tensor> {
    fused(OP, &[x, means, sigmas], |inputs| {
        let [x, means, sigmas] = [0, 1, 2].map(|k| inputs[k].clone());
        let layout = layout.clone();
        let y = forward(&x, &means, &sigmas, &layout)?;
        let pullback: Pullback = Box::new(move |gradient| Ok(backward(&x, &means, &sigmas, gradient, &layout)?.map(Some).into()));
        Ok((y, pullback))
    })
}

/// [`pair_gaussian_mean()`] without a graph.
///
/// # Errors
/// As [`pair_gaussian_mean()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn forward(x: &Tensor, means: &Tensor, sigmas: &Tensor, layout: &Ragged) -> Result<Tensor> {
    alike(OP, &[("x", x), ("means", means), ("sigmas", sigmas)])?;
    let count = check(x, means, sigmas, layout)?;
    on_device!(OP, x, kernels => cuda::forward(x, means, sigmas, layout, count), cpu::<T> => cpu::forward::<T>(x, means, sigmas, layout, count))
}

/// ∂/∂x `[N, 3]`, ∂/∂μ `[K]`, ∂/∂σ `[K]`.
///
/// # Errors
/// As [`forward`].
pub fn backward(x: &Tensor, means: &Tensor, sigmas: &Tensor, gradient: &Tensor, layout: &Ragged) -> Result<[Tensor; 3]> {
    alike(OP, &[("x", x), ("means", means), ("sigmas", sigmas), ("gradient", gradient)])?;
    let count = check(x, means, sigmas, layout)?;
    shape::exact(OP, "gradient", gradient, &[layout.nodes(), count], "the shape of the output")?;
    on_device!(OP, x, kernels => cuda::backward(x, means, sigmas, gradient, layout), cpu::<T> => cpu::backward::<T>(x, means, sigmas, gradient, layout))
}

/// K.
fn check(x: &Tensor, means: &Tensor, sigmas: &Tensor, layout: &Ragged) -> Result<usize> {
    shape::exact(OP, "x", x, &[layout.nodes(), 3], "one point per node")?;
    match means.dims() {
        [count] if *count > 0 => shape::exact(OP, "sigmas", sigmas, &[*count], "one for each mean").map(|()| *count),
        _ => Err(shape::refused(OP, "means", means, "[K] with K at least 1")),
    }
}
