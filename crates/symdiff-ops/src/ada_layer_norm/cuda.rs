//! One launch each way; two more where all samples share the modulation.

use super::{Columns, OP};
use crate::gpu::{Grid, Launch, column_sums::gathered, stride};
use crate::{Ragged, Result};
use candle_core::{DType, Tensor};

/// Threads of a block, which works on one sample: about one warp per row.
const THREADS: usize = 512;

pub(super) fn forward(x: &Tensor, modulation: &Tensor, columns: Columns, layout: &Ragged) -> Result<Tensor> {
    let [nodes, width] = [x.dims()[0], x.dims()[1]];
    let launch = Launch::new(OP, "ada_layer_norm_forward", x)?.read([x, modulation])?.owners(layout)?.write(x.dims());
    let [y] = launch.ints([nodes, width, columns.shift, columns.scale, stride(modulation)])?.run(&Grid::warps(nodes))?;
    Ok(y)
}

pub(super) fn backward(
    x: &Tensor,
    modulation: &Tensor,
    columns: Columns,
    dy: &Tensor,
    bypass: Option<&Tensor>,
    layout: &Ragged,
) -> Result<(Tensor, Tensor)> {
    let (width, samples) = (x.dims()[1], layout.len());
    let launch =
        Launch::new(OP, "ada_layer_norm_backward", x)?.read([x, modulation, dy])?.read_if(bypass)?.offsets(layout)?.write(x.dims());
    let launch = launch.write_as(&[samples, 2 * width], DType::F32).write(&[samples, 2 * width]);
    let launch = launch.ints([width, columns.scale, stride(modulation)])?;
    let [dx, _, packed] = launch.run(&Grid::of([samples, 1, 1], THREADS))?;
    Ok((dx, gathered(OP, packed, modulation.dims()[0])?))
}
