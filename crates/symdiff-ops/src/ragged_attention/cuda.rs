//! One launch forward; two backward, for the gradients of q and of k and v.

use super::{Heads, OP};
use crate::gpu::{Arg, Grid, Launch};
use crate::{Ragged, Result, shape};
use candle_core::{DType, Tensor};

/// Rows of a tile, as in the kernel.
const TILE: usize = 32;
/// Threads of a block, as in the kernel.
const THREADS: usize = 128;
/// The widest head.
const WIDEST: usize = 128;

pub(super) fn forward(qkv: &Tensor, heads: Heads, layout: &Ragged) -> Result<Tensor> {
    let launch = Launch::new(OP, &format!("ragged_attention_forward_{}", parts(qkv, heads)?), qkv)?.read([qkv])?.offsets(layout)?;
    let launch = launch.write(&[layout.nodes(), heads.channels()]).ints([heads.count, heads.width])?.arg(scale(heads));
    // One tile by rows, two by lanes, and the four warps' weights.
    let shared = heads.width * TILE + 2 * TILE * (heads.width + 1) + TILE * TILE;
    let [o] = launch.run(&grid(heads, layout).sharing(shared))?;
    Ok(o)
}

pub(super) fn backward(qkv: &Tensor, gradient: &Tensor, heads: Heads, layout: &Ragged) -> Result<Tensor> {
    // Two tiles by rows, two by lanes, and two sets of weights.
    let shared = 2 * heads.width * TILE + 2 * TILE * (heads.width + 1) + 2 * TILE * TILE;
    let parts = parts(qkv, heads)?;
    let launch = Launch::new(OP, &format!("ragged_attention_query_{parts}"), qkv)?.read([qkv, gradient])?.offsets(layout)?;
    let launch = launch.write(qkv.dims()).write_as(&[layout.nodes(), heads.count, 2], DType::F32);
    let launch = launch.ints([heads.count, heads.width])?.arg(scale(heads));
    let [dqkv, rows] = launch.run(&grid(heads, layout).sharing(shared))?;
    let launch = Launch::new(OP, &format!("ragged_attention_key_{parts}"), qkv)?.read([qkv, gradient])?.read_as(&rows)?.offsets(layout)?;
    let launch = launch.arg(Arg::Change(dqkv.clone())).ints([heads.count, heads.width])?.arg(scale(heads));
    let [] = launch.run(&grid(heads, layout).sharing(shared))?;
    Ok(dqkv)
}

/// One block for each sample, head and tile of rows.
fn grid(heads: Heads, layout: &Ragged) -> Grid {
    Grid::of([layout.len(), heads.count, layout.longest().div_ceil(TILE)], THREADS)
}

fn scale(heads: Heads) -> Arg {
    Arg::Floats(vec![1.0 / (heads.width as f32).sqrt()])
}

/// Which of the kernels: the channels that a lane sums.
fn parts(qkv: &Tensor, heads: Heads) -> Result<usize> {
    match heads.width.div_ceil(32) {
        parts @ (1 | 2) => Ok(parts),
        3 | 4 => Ok(4),
        _ => Err(shape::refused(OP, "qkv", qkv, format!("heads of at most {WIDEST} channels on this device, not {}", heads.width))),
    }
}
