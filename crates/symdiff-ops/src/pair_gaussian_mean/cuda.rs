//! One launch forward; backward one for each node's share, two that add the shares up.

use super::OP;
use crate::gpu::{Grid, Launch, column_sums::column_sums};
use crate::{Ragged, Result};
use candle_core::{DType, Tensor};

pub(super) fn forward(x: &Tensor, means: &Tensor, sigmas: &Tensor, layout: &Ragged, count: usize) -> Result<Tensor> {
    let launch = Launch::new(OP, "pair_gaussian_mean_forward", x)?.read([x, means, sigmas])?.offsets(layout)?.owners(layout)?;
    let [y] = launch.write(&[layout.nodes(), count]).ints([count])?.run(&grid(layout, count))?;
    Ok(y)
}

pub(super) fn backward(x: &Tensor, means: &Tensor, sigmas: &Tensor, dy: &Tensor, layout: &Ragged) -> Result<[Tensor; 3]> {
    let (nodes, count) = (layout.nodes(), means.dims()[0]);
    let launch = Launch::new(OP, "pair_gaussian_mean_backward", x)?.read([x, means, sigmas, dy])?.offsets(layout)?.owners(layout)?;
    let launch = launch.write(x.dims()).write_as(&[nodes, 2 * count], DType::F32).ints([count])?;
    let [dx, shares] = launch.run(&grid(layout, count))?;
    let sums = column_sums(OP, &shares, x.dtype())?;
    Ok([dx, sums.narrow(0, 0, count)?, sums.narrow(0, count, count)?])
}

/// One block per node, one thread per Gaussian.
fn grid(layout: &Ragged, count: usize) -> Grid {
    Grid::of([layout.nodes(), 1, 1], count.next_multiple_of(32).min(384))
}
