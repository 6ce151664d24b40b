//! silu(x) = x / (1 + e^−x), elementwise.
//!
//! # Shapes
//! Any shape, which the result keeps.
//!
//! # Cost
//! One read, one write and one exponential per entry; backward recomputes the exponential.

mod cpu;
#[cfg(kernels)]
mod cuda;

use crate::dispatch::{alike, on_device};
use crate::{Pullback, Result, fused, shape};
use candle_core::Tensor;

const OP: &str = "silu";

/// x / (1 + e^−x), differentiable.
///
/// # Errors
/// [`Error::DType`](crate::Error::DType) unless x is f32 or f64.
pub fn silu(x: &Tensor) -> Result<Tensor> {
    fused(OP, &[x], |inputs| {
        let x = inputs[0].clone();
        let y = forward(&x)?;
        let pullback: Pullback = Box::new(move |gradient| Ok(vec![Some(backward(&x, gradient)?)]));
        Ok((y, pullback))
    })
}

/// [`silu()`] without a graph.
///
/// # Errors
/// As [`silu()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn forward(x: &Tensor) -> Result<Tensor> {
    alike(OP, &[("x", x)])?;
    on_device!(OP, x, kernels => cuda::forward(x), cpu::<T> => cpu::forward::<T>(x))
}

/// ∂/∂x, of the shape of x.
///
/// # Errors
/// As [`forward`].
pub fn backward(x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    alike(OP, &[("x", x), ("gradient", gradient)])?;
    shape::exact(OP, "gradient", gradient, x.dims(), "the shape of x")?;
    on_device!(OP, x, kernels => cuda::backward(x, gradient), cpu::<T> => cpu::backward::<T>(x, gradient))
}
