//! Layer normalisation modulated by the sample: y = n·(1 + scale) + shift with n = (x − mean) / √(variance + 10⁻⁶), row by row.
//!
//! Shift and scale are columns of one `[B, W]` tensor, one row per sample, or of `[1, W]`, one row for all samples: the projection that makes
//! the modulation of a whole block need not be cut up.
//!
//! # Shapes
//! x `[N, C]`, modulation `[B, W]` or `[1, W]`, W ≥ C + the larger first column → y `[N, C]`.
//!
//! # Cost
//! One read and one write of `[N, C]`; the two passes that find mean and variance read from cache. The variance is that of x minus the
//! row's first entry, so a large common offset costs no digits. Backward recomputes mean and variance.
//!
//! # Source
//! Peebles and Xie, arXiv 2212.09748, §3.2 (adaLN); the same without affine parameters and with ε = 10⁻⁶.

mod cpu;
#[cfg(kernels)]
mod cuda;

use crate::dispatch::{alike, on_device};
use crate::{Pullback, Ragged, Result, fused, shape};
use candle_core::Tensor;

const OP: &str = "ada_layer_norm";

/// The first columns of shift and scale in the modulation; each is as wide as x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Where shift starts.
    pub shift: usize,
    /// Where scale starts.
    pub scale: usize,
}

/// The modulated norm, differentiable in both.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when rows do not match the layout, or columns lie outside the modulation.
pub fn ada_layer_norm(x: &Tensor, modulation: &Tensor, columns: Columns, layout: &Ragged) -> Result<Tensor> {
    fused(OP, &[x, modulation], |inputs| {
        let (x, modulation, layout) = (inputs[0].clone(), inputs[1].clone(), layout.clone());
        let y = forward(&x, &modulation, columns, &layout)?;
        let pullback: Pullback = Box::new(move |gradient| {
            let (dx, packed) = backward(&x, &modulation, columns, gradient, None, &layout)?;
            let width = x.dims()[1];
            let parts = [(columns.shift, packed.narrow(1, 0, width)?), (columns.scale, packed.narrow(1, width, width)?)];
            Ok(vec![Some(dx), Some(shape::embedded(&parts, modulation.dims())?)])
        });
        Ok((y, pullback))
    })
}

/// [`ada_layer_norm()`] without a graph.
///
/// # Errors
/// As [`ada_layer_norm()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn forward(x: &Tensor, modulation: &Tensor, columns: Columns, layout: &Ragged) -> Result<Tensor> {
    alike(OP, &[("x", x), ("modulation", modulation)])?;
    check(x, modulation, columns, layout)?;
    on_device!(OP, x, kernels => cuda::forward(x, modulation, columns, layout), cpu::<T> => cpu::forward::<T>(x, modulation, columns, layout))
}

/// ∂/∂x `[N, C]`, and `[∂/∂shift | ∂/∂scale]`, `[B, 2C]` or, of a shared modulation, `[1, 2C]`. `bypass` `[N, C]`, the gradient that x has from
/// elsewhere (a residual connection), is added to the first.
///
/// # Errors
/// As [`forward`].
pub fn backward(
    x: &Tensor,
    modulation: &Tensor,
    columns: Columns,
    gradient: &Tensor,
    bypass: Option<&Tensor>,
    layout: &Ragged,
) -> Result<(Tensor, Tensor)> {
    alike(OP, &[("x", x), ("modulation", modulation), ("gradient", gradient), ("bypass", bypass.unwrap_or(gradient))])?;
    check(x, modulation, columns, layout)?;
    for (what, gradient) in [("gradient", Some(gradient)), ("bypass", bypass)] {
        gradient.map_or(Ok(()), |gradient| shape::exact(OP, what, gradient, x.dims(), "the shape of x"))?;
    }
    on_device!(OP, x, kernels => cuda::backward(x, modulation, columns, gradient, bypass, layout), cpu::<T> => cpu::backward::<T>(x, modulation, columns, gradient, bypass, layout))
}

fn check(x: &Tensor, modulation: &Tensor, columns: Columns, layout: &Ragged) -> Result<()> {
    let width = shape::channels(OP, "x", x, layout)?;
    shape::columns(OP, "modulation", modulation, columns.shift, width, layout)?;
    shape::columns(OP, "modulation", modulation, columns.scale, width, layout)
}
