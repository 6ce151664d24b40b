//! The gated unit with packed input: y = silu(a)·b for x = [a | b], silu(a) = a / (1 + e^−a).
//!
//! # Shapes
//! x `[N, 2C]` → y `[N, C]`.
//!
//! # Cost
//! Three numbers of memory traffic and one exponential per output; backward recomputes the exponential.
//!
//! # Source
//! Shazeer, arXiv 2002.05202 (SwiGLU).

mod cpu;
#[cfg(kernels)]
mod cuda;

use crate::dispatch::{alike, on_device};
use crate::{Pullback, Result, fused, shape};
use candle_core::Tensor;

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
/// As [`swiglu()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn forward(x: &Tensor) -> Result<Tensor> {
    alike(OP, &[("x", x)])?;
    let dims = check(x)?;
    on_device!(OP, x, kernels => cuda::forward(x, dims), cpu::<T> => cpu::forward::<T>(x, dims))
}

/// ∂/∂x, `[N, 2C]`.
///
/// # Errors
/// As [`forward`].
pub fn backward(x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    alike(OP, &[("x", x), ("gradient", gradient)])?;
    let [rows, width] = check(x)?;
    shape::exact(OP, "gradient", gradient, &[rows, width], "half as wide as x")?;
    on_device!(OP, x, kernels => cuda::replayed(x, gradient, [rows, width]).map(|[_, dx]| dx), cpu::<T> => cpu::replayed::<T>(x, gradient, [rows, width]).map(|[_, dx]| dx))
}

/// The results of [`forward`] and of [`backward`] with one exponential per output: for a backward pass that kept only x.
///
/// # Errors
/// As [`forward`].
pub fn replayed(x: &Tensor, gradient: &Tensor) -> Result<[Tensor; 2]> {
    alike(OP, &[("x", x), ("gradient", gradient)])?;
    let [rows, width] = check(x)?;
    shape::exact(OP, "gradient", gradient, &[rows, width], "half as wide as x")?;
    on_device!(OP, x, kernels => cuda::replayed(x, gradient, [rows, width]), cpu::<T> => cpu::replayed::<T>(x, gradient, [rows, width]))
}

/// The shape of the output.
fn check(x: &Tensor) -> Result<[usize; 2]> {
    match shape::matrix(OP, "x", x, "[N, 2C]")? {
        [rows, width] if width > 0 && width % 2 == 0 => Ok([rows, width / 2]),
        _ => Err(shape::refused(OP, "x", x, "[N, 2C], an even number of columns")),
    }
}
