//! One launch each way.

use super::OP;
use crate::Result;
use crate::gpu::{Grid, Launch};
use candle_core::Tensor;

pub(super) fn forward(x: &Tensor) -> Result<Tensor> {
    let count = x.elem_count();
    let [y] = Launch::new(OP, "silu_forward", x)?.read([x])?.write(x.dims()).ints([count])?.run(&Grid::over(count.div_ceil(4)))?;
    Ok(y)
}

pub(super) fn backward(x: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let count = x.elem_count();
    let [dx] = Launch::new(OP, "silu_backward", x)?.read([x, dy])?.write(x.dims()).ints([count])?.run(&Grid::over(count.div_ceil(4)))?;
    Ok(dx)
}
