//! Matrices side by side: `[N, W₁], [N, W₂], …` → `[N, W₁ + W₂ + …]`.

#[cfg(kernels)]
mod cuda;

#[cfg(kernels)]
use crate::gpu;
use crate::{Error, Result, shape};
use candle_core::Tensor;

const OP: &str = "columns";

/// The matrices `[N, Wₖ]` as one, `[N, Σ Wₖ]`, without a graph; on a GPU in one launch, where concatenation takes one a matrix.
///
/// # Errors
/// [`Error::Shape`] unless all have as many rows; [`Error::Layout`] when there is none; when dtypes or devices differ.
pub fn joined(parts: &[&Tensor]) -> Result<Tensor> {
    let first = parts.first().ok_or_else(|| Error::Layout("no parts; give at least one".into()))?;
    let [rows, _] = shape::matrix(OP, "part", first, "[N, W]")?;
    for part in parts {
        let [_, width] = shape::matrix(OP, "part", part, "[N, W]")?;
        shape::exact(OP, "part", part, &[rows, width], "as many rows as the first")?;
    }
    #[cfg(kernels)]
    if gpu::serves(first.device()) {
        return cuda::joined(parts, rows);
    }
    Ok(Tensor::cat(parts, 1)?)
}
