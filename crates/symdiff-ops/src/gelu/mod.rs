//! GELU in the form with a hyperbolic tangent, elementwise: y = ½·x·(1 + tanh u) = x·sigmoid(2u) with u = √(2/π)·(x + 0.044715·x³).
//!
//! # Shapes
//! Any shape, which the result keeps.
//!
//! # Cost
//! One read, one write and one exponential per entry; backward recomputes the exponential.
//!
//! # Source
//! Hendrycks and Gimpel, arXiv 1606.08415.

mod cpu;
#[cfg(kernels)]
mod cuda;

use crate::dispatch::{alike, on_device};
use crate::{Pullback, Result, fused, shape};
use candle_core::Tensor;

const OP: &str = "gelu";

/// 2·√(2/π).
const LINEAR: f64 = 1.595_769_121_605_730_7;
/// 2·√(2/π)·0.044715.
const CUBIC: f64 = 0.071_354_816_272_600_25;
/// Beyond it the derivative is 0 or 1 to the last bit of an f64.
const FLAT: f64 = 20.0;

/// x·sigmoid(2·√(2/π)·(x + 0.044715·x³)), differentiable.
///
/// # Errors
/// [`Error::DType`](crate::Error::DType) unless x is f32 or f64 (on CUDA f32 or bf16).
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    fused(OP, &[x], |inputs| {
        let x = inputs[0].clone();
        let y = forward(&x)?;
        let pullback: Pullback = Box::new(move |gradient| replayed(&x, gradient).map(|[_, dx]| vec![Some(dx)]));
        Ok((y, pullback))
    })
}

/// [`gelu()`] without a graph.
///
/// # Errors
/// As [`gelu()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn forward(x: &Tensor) -> Result<Tensor> {
    alike(OP, &[("x", x)])?;
    on_device!(OP, x, kernels => cuda::forward(x), cpu::<T> => cpu::forward::<T>(x))
}

/// The result once more and ∂/∂x, with one exponential per entry: for a backward pass that kept only x.
///
/// # Errors
/// As [`forward`].
pub fn replayed(x: &Tensor, gradient: &Tensor) -> Result<[Tensor; 2]> {
    alike(OP, &[("x", x), ("gradient", gradient)])?;
    shape::exact(OP, "gradient", gradient, x.dims(), "the shape of x")?;
    on_device!(OP, x, kernels => cuda::replayed(x, gradient), cpu::<T> => cpu::replayed::<T>(x, gradient))
}
