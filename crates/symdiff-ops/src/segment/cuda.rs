//! One launch each.

use super::Kind;
use crate::gpu::{Grid, Launch, stride};
use crate::{Ragged, Result};
use candle_core::Tensor;

pub(super) fn reduce(op: &'static str, x: &Tensor, layout: &Ragged, width: usize, kind: Kind) -> Result<Tensor> {
    let launch = Launch::new(op, "segment_reduce", x)?.read([x])?.offsets(layout)?.write(&[layout.len(), width]);
    let [sums] = launch.ints([width, mean(kind)])?.run(&Grid::columns(width, layout.len()))?;
    Ok(sums)
}

pub(super) fn scatter(op: &'static str, v: &Tensor, layout: &Ragged, width: usize, kind: Kind) -> Result<Tensor> {
    let nodes = layout.nodes();
    let launch = Launch::new(op, "segment_scatter", v)?.read([v])?.offsets(layout)?.owners(layout)?.write(&[nodes, width]);
    let [y] = launch.ints([nodes, width, stride(v), mean(kind)])?.run(&Grid::over(nodes * width))?;
    Ok(y)
}

pub(super) fn centre(op: &'static str, x: &Tensor, layout: &Ragged, width: usize) -> Result<Tensor> {
    let launch = Launch::new(op, "segment_centre", x)?.read([x])?.offsets(layout)?.write(x.dims());
    let [y] = launch.ints([width])?.run(&Grid::columns(width, layout.len()))?;
    Ok(y)
}

fn mean(kind: Kind) -> usize {
    usize::from(kind == Kind::Mean)
}
