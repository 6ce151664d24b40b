//! The gated unit with packed input: y = silu(a)·b for x = [a | b], silu(a) = a / (1 + e^−a).
//!
//! # Shapes
//! x `[N, 2C]` → y `[N, C]`.
//!
//! # Cost
//! Three numbers of memory traffic and one exponential an output; backward recomputes the exponential.
//!
//! # Source
//! Shazeer, arXiv 2002.05202 (SwiGLU).

mod cpu;
#[cfg(kernels)]
mod cuda;

#[cfg(kernels)]
use crate::gpu;
use crate::host::{elsewhere, with_real};
use crate::{Pullback, Result, fused, shape};
use candle_core::{Device, Tensor};

const OP: &str = "swiglu";

/// silu(first half)·second half of each row, differentiable.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) unless x is a matrix with an even number of columns.
pub fn swiglu(x: &Tensor) -> Result<Tensor> {
    fused(OP, &[x], |inputs| {
        let x = inputs[0].clone();
        let y = forward(&x)?;
        let pullback: Pullback = Box::new(move |gradient| Ok(vec![Some(backward(&x, gradient)?)]));
        Ok((y, pullback))
    })
}

/// [`swiglu()`] without a graph.
///
/// # Errors
/// As [`swiglu()`].
pub fn forward(x: &Tensor) -> Result<Tensor> {
    let dims = check(x)?;
    match x.device() {
        #[cfg(kernels)]
        device if gpu::serves(device) => cuda::forward(x, dims),
        Device::Cpu => with_real!(OP, x, T => cpu::forward::<T>(x, dims)),
        device => Err(elsewhere(OP, device)),
    }
}

/// ∂/∂x, `[N, 2C]`.
///
/// # Errors
/// As [`swiglu()`].
pub fn backward(x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let [rows, width] = check(x)?;
    shape::exact(OP, "gradient", gradient, &[rows, width], "half as wide as x")?;
    match x.device() {
        #[cfg(kernels)]
        device if gpu::serves(device) => cuda::replayed(x, gradient, [rows, width]).map(|[_, dx]| dx),
        Device::Cpu => with_real!(OP, x, T => cpu::replayed::<T>(x, gradient, [rows, width]).map(|[_, dx]| dx)),
        device => Err(elsewhere(OP, device)),
    }
}

/// What [`forward`] and [`backward`] give, with one exponential an output: for a way back that kept only x.
///
/// # Errors
/// As [`swiglu()`].
pub fn replayed(x: &Tensor, gradient: &Tensor) -> Result<[Tensor; 2]> {
    let [rows, width] = check(x)?;
    shape::exact(OP, "gradient", gradient, &[rows, width], "half as wide as x")?;
    match x.device() {
        #[cfg(kernels)]
        device if gpu::serves(device) => cuda::replayed(x, gradient, [rows, width]),
        Device::Cpu => with_real!(OP, x, T => cpu::replayed::<T>(x, gradient, [rows, width])),
        device => Err(elsewhere(OP, device)),
    }
}

/// The shape of the output.
fn check(x: &Tensor) -> Result<[usize; 2]> {
    match shape::matrix(OP, "x", x, "[N, 2C]")? {
        [rows, width] if width > 0 && width % 2 == 0 => Ok([rows, width / 2]),
        _ => Err(shape::refused(OP, "x", x, "[N, 2C], an even number of columns")),
    }
}
