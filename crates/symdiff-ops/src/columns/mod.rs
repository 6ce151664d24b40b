//! Matrices side by side: `[N, W₁], [N, W₂], …` → `[N, W₁ + W₂ + …]`.

#[cfg(kernels)]
mod cuda;

use crate::dispatch::{like, on_device, untracked};
use crate::{Error, Result, shape};
use candle_core::Tensor;

const OP: &str = "columns";

/// The matrices `[N, Wₖ]` as one, `[N, Σ Wₖ]`, without a graph; on a GPU in one launch, where concatenation takes one per matrix.
///
/// # Errors
/// [`Error::Shape`] unless all have as many rows; [`Error::Mixed`] or [`Error::Apart`] when dtypes or devices differ; [`Error::Tracked`]
/// for a tensor of a graph; [`Error::Layout`] when there is none.
pub fn joined(parts: &[&Tensor]) -> Result<Tensor> {
    let first = parts.first().ok_or_else(|| Error::Layout("no parts; give at least one".into()))?;
    let [rows, _] = shape::matrix(OP, "part", first, "[N, W]")?;
    for part in parts {
        untracked(OP, "part", part)?;
        like(OP, ("the first part", first), ("another part", part))?;
        let [_, width] = shape::matrix(OP, "part", part, "[N, W]")?;
        shape::exact(OP, "part", part, &[rows, width], "as many rows as the first")?;
    }
    on_device!(OP, at first.device(), kernels => cuda::joined(parts, rows), cpu => Ok(Tensor::cat(parts, 1)?))
}
