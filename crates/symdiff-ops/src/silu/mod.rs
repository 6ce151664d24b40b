//! silu(x) = x / (1 + e^−x), entry by entry.
//!
//! # Shapes
//! Any shape, which the result keeps.
//!
//! # Cost
//! One read, one write and one exponential an entry; backward recomputes the exponential.

mod cpu;
#[cfg(kernels)]
mod cuda;

#[cfg(kernels)]
use crate::gpu;
use crate::host::{elsewhere, with_real};
use crate::{Pullback, Result, fused, shape};
use candle_core::{Device, Tensor};

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
/// As [`silu()`].
pub fn forward(x: &Tensor) -> Result<Tensor> {
    match x.device() {
        #[cfg(kernels)]
        device if gpu::serves(device) => cuda::forward(x),
        Device::Cpu => with_real!(OP, x, T => cpu::forward::<T>(x)),
        device => Err(elsewhere(OP, device)),
    }
}

/// ∂/∂x, of the shape of x.
///
/// # Errors
/// As [`silu()`].
pub fn backward(x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    shape::exact(OP, "gradient", gradient, x.dims(), "the shape of x")?;
    match x.device() {
        #[cfg(kernels)]
        device if gpu::serves(device) => cuda::backward(x, gradient),
        Device::Cpu => with_real!(OP, x, T => cpu::backward::<T>(x, gradient)),
        device => Err(elsewhere(OP, device)),
    }
}
