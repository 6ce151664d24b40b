//! Shape checks, in one voice.

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
        _ => Err(refused(op, what, tensor, format!("[{}, W], one row a sample, or [1, W], shared", layout.len()))),
    }
}
