//! Shape checks.

use crate::{Error, Ragged, Result};
use candle_core::Tensor;

/// The refusal of a shape.
pub(crate) fn refused(op: &'static str, what: &'static str, tensor: &Tensor, expected: impl Into<String>) -> Error {
    Error::Shape { op, what, got: tensor.dims().to_vec(), expected: expected.into() }
}

/// The two sides of a matrix.
pub(crate) fn matrix(op: &'static str, what: &'static str, tensor: &Tensor, expected: &str) -> Result<[usize; 2]> {
    <[usize; 2]>::try_from(tensor.dims()).map_err(|_| refused(op, what, tensor, expected))
}

/// Fails unless the tensor has exactly this shape; `meaning` says why.
pub(crate) fn exact(op: &'static str, what: &'static str, tensor: &Tensor, dims: &[usize], meaning: &str) -> Result<()> {
    if tensor.dims() == dims {
        return Ok(());
    }
    Err(refused(op, what, tensor, format!("{dims:?}, {meaning}")))
}

/// The number of channels of a per-node tensor.
pub(crate) fn channels(op: &'static str, what: &'static str, tensor: &Tensor, layout: &Ragged) -> Result<usize> {
    layout.check_nodes(op, what, tensor)?;
    Ok(tensor.dims()[1])
}

/// The width of a tensor with one row for each sample, or one row that all share.
pub(crate) fn per_sample(op: &'static str, what: &'static str, tensor: &Tensor, layout: &Ragged) -> Result<usize> {
    match tensor.dims() {
        [rows, width] if *rows == 1 || *rows == layout.len() => Ok(*width),
        _ => Err(refused(op, what, tensor, format!("[{}, W], one row per sample, or [1, W], shared", layout.len()))),
    }
}

/// Fails unless `width` columns from `first` lie inside a per-sample (or shared) tensor.
pub(crate) fn columns(op: &'static str, what: &'static str, tensor: &Tensor, first: usize, width: usize, layout: &Ragged) -> Result<()> {
    let found = per_sample(op, what, tensor, layout)?;
    if width > 0 && first + width <= found {
        return Ok(());
    }
    Err(refused(
        op,
        what,
        tensor,
        format!("at least {} columns, as x has {width} channels and a part starts at {first}", first + width.max(1)),
    ))
}

/// Zeros of the given shape, with each part written from its first column on.
pub(crate) fn embedded(parts: &[(usize, Tensor)], dims: &[usize]) -> Result<Tensor> {
    let (dtype, device) = (parts[0].1.dtype(), parts[0].1.device());
    let whole = Tensor::zeros(dims, dtype, device)?;
    for (first, part) in parts {
        whole.slice_set(&part.contiguous()?, 1, *first)?;
    }
    Ok(whole)
}
