//! Sums over the nodes of each sample, their opposite, and what is made of the two.
//!
//! ```text
//! segment_sum(x)_i  = Σ_{j in sample i} x_j        spread(v)_j = v_{sample of j}
//! segment_mean(x)_i = segment_sum(x)_i / n_i       centre(x)   = x − spread(segment_mean(x))
//! ```
//! Sum and spread are each other's transpose, so each is the other's gradient; `centre` is a projection, and its own gradient.
//!
//! # Shapes
//! x `[N, C]`, v `[B, C]` or `[1, C]` (one row that all samples share).
//!
//! # Cost
//! One pass over `[N, C]` (`centre`: two, the second in cache); bound by memory.

mod cpu;
#[cfg(kernels)]
mod cuda;

use crate::dispatch::{alike, on_device};
use crate::{Pullback, Ragged, Result, fused, shape};
use candle_core::Tensor;

/// What a sample's rows are added up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sum,
    Mean,
}

/// The sum of each sample's rows, `[B, C]`, differentiable.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) unless x has one row per node.
pub fn segment_sum(x: &Tensor, layout: &Ragged) -> Result<Tensor> {
    reduced("segment_sum", x, layout, Kind::Sum)
}

/// The mean of each sample's rows, `[B, C]`, differentiable.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) unless x has one row per node.
pub fn segment_mean(x: &Tensor, layout: &Ragged) -> Result<Tensor> {
    reduced("segment_mean", x, layout, Kind::Mean)
}

/// Each sample's row of v to each of its nodes, `[N, C]`, differentiable.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) unless v has one row per sample, or one row in all.
pub fn spread(v: &Tensor, layout: &Ragged) -> Result<Tensor> {
    fused("spread", &[v], |inputs| {
        let (rows, layout) = (inputs[0].dims().first().copied(), layout.clone());
        let y = spread_forward(&inputs[0], &layout)?;
        let pullback: Pullback = Box::new(move |gradient| {
            let sums = segment_sum_forward(gradient, &layout)?;
            let shared = rows == Some(1) && layout.len() > 1;
            Ok(vec![Some(if shared { sums.sum_keepdim(0)? } else { sums })])
        });
        Ok((y, pullback))
    })
}

/// x without the mean of its sample, `[N, C]`, differentiable.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) unless x has one row per node.
pub fn centre(x: &Tensor, layout: &Ragged) -> Result<Tensor> {
    fused("centre", &[x], |inputs| {
        let layout = layout.clone();
        let y = centre_forward(&inputs[0], &layout)?;
        let pullback: Pullback = Box::new(move |gradient| Ok(vec![Some(centre_forward(gradient, &layout)?)]));
        Ok((y, pullback))
    })
}

/// [`segment_sum()`] without a graph.
///
/// # Errors
/// As [`segment_sum()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn segment_sum_forward(x: &Tensor, layout: &Ragged) -> Result<Tensor> {
    reduce("segment_sum", x, layout, Kind::Sum)
}

/// [`segment_mean()`] without a graph.
///
/// # Errors
/// As [`segment_mean()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn segment_mean_forward(x: &Tensor, layout: &Ragged) -> Result<Tensor> {
    reduce("segment_mean", x, layout, Kind::Mean)
}

/// [`spread()`] without a graph.
///
/// # Errors
/// As [`spread()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn spread_forward(v: &Tensor, layout: &Ragged) -> Result<Tensor> {
    scatter("spread", v, layout, Kind::Sum)
}

/// [`centre()`] without a graph.
///
/// # Errors
/// As [`centre()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn centre_forward(x: &Tensor, layout: &Ragged) -> Result<Tensor> {
    const OP: &str = "centre";
    alike(OP, &[("x", x)])?;
    let width = shape::channels(OP, "x", x, layout)?;
    on_device!(OP, x, kernels => cuda::centre(OP, x, layout, width), cpu::<T> => cpu::centre::<T>(OP, x, layout, width))
}

fn reduced(op: &'static str, x: &Tensor, layout: &Ragged, kind: Kind) -> Result<Tensor> {
    fused(op, &[x], |inputs| {
        let layout = layout.clone();
        let y = reduce(op, &inputs[0], &layout, kind)?;
        let pullback: Pullback = Box::new(move |gradient| Ok(vec![Some(scatter(op, gradient, &layout, kind)?)]));
        Ok((y, pullback))
    })
}

fn reduce(op: &'static str, x: &Tensor, layout: &Ragged, kind: Kind) -> Result<Tensor> {
    alike(op, &[("x", x)])?;
    let width = shape::channels(op, "x", x, layout)?;
    on_device!(op, x, kernels => cuda::reduce(op, x, layout, width, kind), cpu::<T> => cpu::reduce::<T>(op, x, layout, width, kind))
}

/// v to the nodes, divided by the sample's size when `kind` is the mean.
fn scatter(op: &'static str, v: &Tensor, layout: &Ragged, kind: Kind) -> Result<Tensor> {
    alike(op, &[("v", v)])?;
    let width = shape::per_sample(op, "v", v, layout)?;
    on_device!(op, v, kernels => cuda::scatter(op, v, layout, width, kind), cpu::<T> => cpu::scatter::<T>(op, v, layout, width, kind))
}
