//! Sums over the rows of a matrix: gradients of everything that all rows share.

use super::uploads::Uploads;
use super::{Arg, Grid, Launch, THREADS};
use crate::Result;
use candle_core::{DType, Device, Tensor};
use std::sync::LazyLock;

/// The columns of a block, as in the kernel.
const COLUMNS: usize = 32;
/// The rows of a slice, about.
const ROWS: usize = 256;
/// Slices, at most: what one thread adds up in the end.
const SLICES: usize = 24;
/// Blocks of columns whose slices can be counted; a matrix with more keeps the device busy without slices.
const COUNTED: usize = 4096;

/// The sum of the rows of `[N, C]`, `[C]`, in f32 whatever the dtype of x, and rounded to `dtype` once.
pub(crate) fn column_sums(op: &'static str, x: &Tensor, dtype: DType) -> Result<Tensor> {
    let [rows, width] = crate::shape::matrix(op, "x", x, "[N, C]")?;
    let blocks = width.div_ceil(COLUMNS);
    let slices = if blocks > COUNTED { 1 } else { rows.div_ceil(ROWS).clamp(1, SLICES) };
    let finished = if blocks > COUNTED { Tensor::zeros(blocks, DType::U32, x.device())? } else { finished(x.device())? };
    let kernel = if dtype == DType::BF16 { "column_sums_to_bf16" } else { "column_sums_to_f32" };
    let launch = Launch::new(op, kernel, x)?.read([x])?.write_as(&[width], dtype).write_as(&[slices, width], DType::F32);
    let [sums, _] = launch.arg(Arg::Change(finished)).ints([rows, width])?.run(&Grid::of([blocks, slices, 1], THREADS))?;
    Ok(sums)
}

/// How many blocks have finished their slice, for every block of columns: 0 between launches.
fn finished(device: &Device) -> Result<Tensor> {
    static FINISHED: LazyLock<Uploads<1>> = LazyLock::new(Uploads::default);
    let [finished] = FINISHED.on(device, || Ok([Tensor::zeros(COUNTED, DType::U32, device)?]))?;
    Ok(finished)
}

/// One row per sample, or, where all samples share one row, their sum: `[rows, width]`.
pub(crate) fn gathered(op: &'static str, per_sample: Tensor, rows: usize) -> Result<Tensor> {
    if per_sample.dims()[0] == rows {
        return Ok(per_sample);
    }
    Ok(column_sums(op, &per_sample, per_sample.dtype())?.unsqueeze(0)?)
}
