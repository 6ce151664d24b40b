//! Sums over the rows of a matrix: gradients of everything that all rows share.

use super::{Grid, Launch};
use crate::Result;
use candle_core::{DType, Tensor};

/// The rows that one thread adds up in the first pass, at least.
const ROWS: usize = 32;
/// The slices that the second pass adds up, at most.
const SLICES: usize = 128;

/// The sum of the rows of `[N, C]`, `[C]`, in f32 whatever the dtype of x, and rounded to `dtype` once.
pub(crate) fn column_sums(op: &'static str, x: &Tensor, dtype: DType) -> Result<Tensor> {
    let [rows, width] = crate::shape::matrix(op, "x", x, "[N, C]")?;
    let slices = rows.div_ceil(ROWS).clamp(1, SLICES);
    let [sums] = Launch::new(op, "column_sums_partial", x)?
        .read([x])?
        .write_as(&[slices, width], DType::F32)
        .ints([rows, width])?
        .run(&Grid::columns(width, slices))?;
    let launch = Launch::typed(op, "column_sums_total", dtype, x.device())?.read_as(&sums)?.write(&[width]).ints([slices, width])?;
    let [total] = launch.run(&Grid::columns(width, 1))?;
    Ok(total)
}

/// One row a sample, or, where all samples share one row, their sum: `[rows, width]`.
pub(crate) fn gathered(op: &'static str, per_sample: Tensor, rows: usize) -> Result<Tensor> {
    if per_sample.dims()[0] == rows {
        return Ok(per_sample);
    }
    Ok(column_sums(op, &per_sample, per_sample.dtype())?.unsqueeze(0)?)
}
