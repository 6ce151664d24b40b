//! Exact actions of finite groups: moving the entries of an axis, never their values.

use crate::{Error, Result};
use candle_core::Tensor;

/// Entry j of `axis` of sample b becomes entry `sources[b·n + j]` of it, for `x` `[B, …]` whose `axis` (at least 1) has n entries.
pub(crate) fn gathered(x: &Tensor, axis: usize, sources: &[u32]) -> Result<Tensor> {
    let front = x.transpose(1, axis)?.contiguous()?;
    let (b, n) = (front.dims()[0], front.dims()[1]);
    let rows: Vec<u32> = sources.iter().enumerate().map(|(slot, &source)| (slot / n * n) as u32 + source).collect();
    let rows = Tensor::from_vec(rows, b * n, x.device())?;
    let moved = front.flatten(0, 1)?.index_select(&rows, 0)?.reshape(front.shape())?;
    Ok(moved.transpose(1, axis)?.contiguous()?)
}

/// Fails unless there is one element per sample.
pub(crate) fn one_each(what: &'static str, elements: usize, samples: usize) -> Result<()> {
    if elements == samples { Ok(()) } else { Err(Error::Batch { what, elements, samples }) }
}
