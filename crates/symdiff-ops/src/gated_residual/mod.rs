//! The residual connection with a gate per sample: z = x + gate·y.
//!
//! The gate is as many columns of a `[B, W]` tensor (one row per sample) or `[1, W]` (one row for all) as x has channels.
//!
//! # Shapes
//! x, y `[N, C]`, modulation `[B, W]` or `[1, W]` → z `[N, C]`.
//!
//! # Cost
//! Two reads and one write of `[N, C]`. The gradient of x is that of z.

mod cpu;
#[cfg(kernels)]
mod cuda;

use crate::dispatch::{alike, on_device};
use crate::{Pullback, Ragged, Result, fused, shape};
use candle_core::Tensor;

const OP: &str = "gated_residual";

/// x + gate·y, differentiable in all; the gate starts at column `first` of the modulation.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when shapes do not match the layout, or columns lie outside the modulation.
pub fn gated_residual(x: &Tensor, y: &Tensor, modulation: &Tensor, first: usize, layout: &Ragged) -> Result<Tensor> {
    fused(OP, &[x, y, modulation], |inputs| {
        let (y, modulation, layout) = (inputs[1].clone(), inputs[2].clone(), layout.clone());
        let z = forward(&inputs[0], &y, &modulation, first, &layout)?;
        let pullback: Pullback = Box::new(move |gradient| {
            let (dy, dgate) = backward(&y, &modulation, first, gradient, &layout)?;
            let dmodulation = shape::embedded(&[(first, dgate)], modulation.dims())?;
            Ok(vec![Some(gradient.clone()), Some(dy), Some(dmodulation)])
        });
        Ok((z, pullback))
    })
}

/// [`gated_residual()`] without a graph.
///
/// # Errors
/// As [`gated_residual()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn forward(x: &Tensor, y: &Tensor, modulation: &Tensor, first: usize, layout: &Ragged) -> Result<Tensor> {
    alike(OP, &[("x", x), ("y", y), ("modulation", modulation)])?;
    check(y, modulation, first, layout)?;
    shape::exact(OP, "x", x, y.dims(), "the shape of y")?;
    on_device!(OP, x, kernels => cuda::forward(x, y, modulation, first, layout), cpu::<T> => cpu::forward::<T>(x, y, modulation, first, layout))
}

/// ∂/∂y `[N, C]`, and ∂/∂gate `[B, C]` or, of a shared gate, `[1, C]`.
///
/// # Errors
/// As [`forward`].
pub fn backward(y: &Tensor, modulation: &Tensor, first: usize, gradient: &Tensor, layout: &Ragged) -> Result<(Tensor, Tensor)> {
    alike(OP, &[("y", y), ("modulation", modulation), ("gradient", gradient)])?;
    check(y, modulation, first, layout)?;
    shape::exact(OP, "gradient", gradient, y.dims(), "the shape of y")?;
    on_device!(OP, y, kernels => cuda::backward(y, modulation, first, gradient, layout), cpu::<T> => cpu::backward::<T>(y, modulation, first, gradient, layout))
}

fn check(y: &Tensor, modulation: &Tensor, first: usize, layout: &Ragged) -> Result<()> {
    let width = shape::channels(OP, "y", y, layout)?;
    shape::columns(OP, "modulation", modulation, first, width, layout)
}
