//! One launch each way.

use super::OP;
use crate::Result;
use crate::gpu::{Grid, Launch};
use candle_core::Tensor;

pub(super) fn forward(x: &Tensor) -> Result<Tensor> {
    let count = x.elem_count();
    let [y] = Launch::new(OP, "gelu_forward", x)?.read([x])?.write(x.dims()).ints([count])?.run(&Grid::over(count.div_ceil(4)))?;
    Ok(y)
}

pub(super) fn replayed(x: &Tensor, dy: &Tensor) -> Result<[Tensor; 2]> {
    let count = x.elem_count();
    let launch = Launch::new(OP, "gelu_replayed", x)?.read([x, dy])?.write(x.dims()).write(x.dims());
    launch.ints([count])?.run(&Grid::over(count.div_ceil(4)))
}
