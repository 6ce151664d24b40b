//! One launch each.

use super::OP;
use crate::gpu::{Grid, Launch};
use crate::{Ragged, Result};
use candle_core::Tensor;

pub(super) fn forward(x: &Tensor, g: &Tensor, layout: &Ragged, inverse: bool) -> Result<Tensor> {
    let launch = Launch::new(OP, "rotate_forward", x)?.read([x, g])?.owners(layout)?.write(x.dims());
    let [y] = launch.ints([layout.nodes(), usize::from(inverse)])?.run(&Grid::over(x.elem_count()))?;
    Ok(y)
}

pub(super) fn backward_matrix(x: &Tensor, dy: &Tensor, layout: &Ragged, inverse: bool) -> Result<Tensor> {
    let launch = Launch::new(OP, "rotate_matrix", x)?.read([x, dy])?.offsets(layout)?.write(&[layout.len(), 3, 3]);
    let [dg] = launch.ints([layout.len(), usize::from(inverse)])?.run(&Grid::warps(layout.len()))?;
    Ok(dg)
}
