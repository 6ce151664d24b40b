//! One launch each way.

use super::OP;
use crate::Result;
use crate::gpu::{Grid, Launch};
use candle_core::Tensor;

pub(super) fn forward(x: &Tensor, [rows, width]: [usize; 2]) -> Result<Tensor> {
    let launch = Launch::new(OP, "swiglu_forward", x)?.read([x])?.write(&[rows, width]).ints([rows, width])?;
    let [y] = launch.run(&Grid::over((rows * width).div_ceil(4)))?;
    Ok(y)
}

pub(super) fn replayed(x: &Tensor, dy: &Tensor, [rows, width]: [usize; 2]) -> Result<[Tensor; 2]> {
    let launch = Launch::new(OP, "swiglu_replayed", x)?.read([x, dy])?.write(&[rows, width]).write(&[rows, 2 * width]);
    launch.ints([rows, width])?.run(&Grid::over((rows * width).div_ceil(4)))
}
