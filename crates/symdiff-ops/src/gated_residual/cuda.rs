//! One launch each way; two more where all samples share the gate.

use super::OP;
use crate::gpu::{Grid, Launch, THREADS, column_sums::gathered, stride};
use crate::{Ragged, Result};
use candle_core::Tensor;

pub(super) fn forward(x: &Tensor, y: &Tensor, modulation: &Tensor, first: usize, layout: &Ragged) -> Result<Tensor> {
    let [nodes, width] = [x.dims()[0], x.dims()[1]];
    let launch = Launch::new(OP, "gated_residual_forward", x)?.read([x, y, modulation])?.owners(layout)?.write(x.dims());
    let [z] = launch.ints([nodes, width, first, stride(modulation)])?.run(&Grid::over(x.elem_count().div_ceil(4)))?;
    Ok(z)
}

pub(super) fn backward(y: &Tensor, modulation: &Tensor, first: usize, dz: &Tensor, layout: &Ragged) -> Result<(Tensor, Tensor)> {
    let (width, samples) = (y.dims()[1], layout.len());
    let launch = Launch::new(OP, "gated_residual_backward", y)?.read([y, modulation, dz])?.offsets(layout)?;
    let launch = launch.write(y.dims()).write(&[samples, width]).ints([width, first, stride(modulation)])?;
    // What each of a block's groups of threads sums: at most as many groups as vectors of eight fill the block.
    let [dy, dgate] = launch.run(&Grid::of([samples, 1, 1], THREADS).sharing(width.max(8 * THREADS)))?;
    Ok((dy, gathered(OP, dgate, modulation.dims()[0])?))
}
