//! Parameters as products in bf16 read them.

use super::{Arg, Grid, Launch, THREADS};
use crate::Result;
use candle_core::{DType, Tensor};

/// Blocks that share one tensor, at most.
const BLOCKS: usize = 64;

/// f32 tensors in bf16, in one launch for every [`Arg::TABLE`] of them.
pub(crate) fn rounded(op: &'static str, tensors: &[Tensor]) -> Result<Vec<Tensor>> {
    let mut all = Vec::with_capacity(tensors.len());
    for tensors in tensors.chunks(Arg::TABLE) {
        let table =
            |entry: fn(&Tensor) -> Result<Arg>| Ok::<_, crate::Error>(Arg::Table(tensors.iter().map(entry).collect::<Result<_>>()?));
        let launch = Launch::typed(op, "rounded", DType::BF16, tensors[0].device())?
            .arg(table(|tensor| Ok(Arg::Read(tensor.contiguous()?)))?)
            .arg(table(|tensor| Ok(Arg::Write(tensor.dims().to_vec(), DType::BF16)))?)
            .arg(table(|tensor| Ok(Arg::Long(tensor.elem_count() as i64)))?);
        let largest = tensors.iter().map(Tensor::elem_count).max().unwrap_or(0);
        let blocks = largest.div_ceil(4 * THREADS).min(BLOCKS);
        all.extend(launch.run_all(&Grid::of([blocks, tensors.len(), 1], THREADS))?);
    }
    Ok(all)
}
