//! Parameters as products in bf16 read them.

use super::{Arg, Grid, Launch};
use crate::Result;
use candle_core::{DType, Tensor};

/// Blocks that share one tensor, at most.
const BLOCKS: usize = 64;
/// Every tensor starts at a multiple of so many numbers: 256 bytes, the largest alignment that cuBLASLt distinguishes.
const ALIGNED: usize = 128;

/// f32 tensors in bf16, in one launch for every [`Arg::TABLE`] of them, and in one allocation.
pub(crate) fn rounded(op: &'static str, tensors: &[Tensor]) -> Result<Vec<Tensor>> {
    let Some(first) = tensors.first() else { return Ok(Vec::new()) };
    let room = |tensor: &Tensor| tensor.elem_count().next_multiple_of(ALIGNED);
    let all = Tensor::zeros(tensors.iter().map(room).sum::<usize>(), DType::BF16, first.device())?;
    let mut place = 0;
    let mut places = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        places.push(all.narrow(0, place, tensor.elem_count())?.reshape(tensor.shape())?);
        place += room(tensor);
    }
    for (tensors, places) in tensors.chunks(Arg::TABLE).zip(places.chunks(Arg::TABLE)) {
        let from = tensors.iter().map(|tensor| Ok(Arg::Read(tensor.contiguous()?))).collect::<Result<_>>()?;
        let launch = Launch::typed(op, "rounded", DType::BF16, first.device())?
            .arg(Arg::Table(from))
            .arg(Arg::Table(places.iter().map(|place| Arg::Change(place.clone())).collect()))
            .arg(Arg::Table(tensors.iter().map(|tensor| Arg::Long(tensor.elem_count() as i64)).collect()));
        let largest = tensors.iter().map(Tensor::elem_count).max().unwrap_or(0);
        let [] = launch.run(&Grid::tabled(largest, tensors.len(), BLOCKS))?;
    }
    Ok(places)
}
