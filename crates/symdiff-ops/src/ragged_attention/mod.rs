//! Multi-head self-attention within each sample: o = softmax(q·kᵀ / √d)·v, head by head.
//!
//! Rows of the packed input are `[q | k | v]`, each C wide and divided into H heads of d = C / H channels.
//!
//! # Shapes
//! qkv `[N, 3C]` → o `[N, C]`.
//!
//! # Cost
//! 4·C·Σ `n_i²` operations forward, 10·C·Σ `n_i²` backward, which recomputes the probabilities: nothing is kept but qkv. Memory beside input
//! and output: one `n_i` × `n_i` matrix (two backward) for each running task.
//!
//! # Source
//! Vaswani et al., arXiv 1706.03762, §3.2.

mod cpu;
#[cfg(kernels)]
mod cuda;

use crate::dispatch::{alike, on_device};
use crate::{Pullback, Ragged, Result, fused, shape};
use candle_core::Tensor;

const OP: &str = "ragged_attention";

/// Attention among the nodes of each sample, differentiable.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) unless qkv is `[N, 3C]` with C a multiple of `heads`.
pub fn ragged_attention(qkv: &Tensor, heads: usize, layout: &Ragged) -> Result<Tensor> {
    fused(OP, &[qkv], |inputs| {
        let (qkv, layout) = (inputs[0].clone(), layout.clone());
        let o = forward(&qkv, heads, &layout)?;
        let pullback: Pullback = Box::new(move |gradient| Ok(vec![Some(backward(&qkv, heads, gradient, &layout)?)]));
        Ok((o, pullback))
    })
}

/// [`ragged_attention()`] without a graph.
///
/// # Errors
/// As [`ragged_attention()`]; [`Error::Tracked`](crate::Error::Tracked) when a tensor is part of a graph.
pub fn forward(qkv: &Tensor, heads: usize, layout: &Ragged) -> Result<Tensor> {
    alike(OP, &[("qkv", qkv)])?;
    let sizes = Heads::of(qkv, heads, layout)?;
    on_device!(OP, qkv, flops = 2 * sizes.product(layout), kernels => cuda::forward(qkv, sizes, layout), cpu::<T> => cpu::forward::<T>(qkv, sizes, layout))
}

/// ∂/∂qkv, `[N, 3C]`.
///
/// # Errors
/// As [`forward`].
pub fn backward(qkv: &Tensor, heads: usize, gradient: &Tensor, layout: &Ragged) -> Result<Tensor> {
    alike(OP, &[("qkv", qkv), ("gradient", gradient)])?;
    let sizes = Heads::of(qkv, heads, layout)?;
    shape::exact(OP, "gradient", gradient, &[layout.nodes(), sizes.channels()], "the shape of the output")?;
    on_device!(OP, qkv, flops = 5 * sizes.product(layout), kernels => cuda::backward(qkv, gradient, sizes, layout), cpu::<T> => cpu::backward::<T>(qkv, gradient, sizes, layout))
}

/// How the channels divide.
#[derive(Clone, Copy)]
struct Heads {
    count: usize,
    width: usize,
}

impl Heads {
    fn of(qkv: &Tensor, heads: usize, layout: &Ragged) -> Result<Self> {
        let columns = shape::channels(OP, "qkv", qkv, layout)?;
        if heads == 0 || columns == 0 || !columns.is_multiple_of(3 * heads) {
            return Err(shape::refused(OP, "qkv", qkv, format!("[N, 3C] with C a multiple of the {heads} heads")));
        }
        Ok(Self { count: heads, width: columns / (3 * heads) })
    }

    fn channels(self) -> usize {
        self.count * self.width
    }

    /// The operations of one product of all heads, such as that of the queries with the keys.
    fn product(self, layout: &Ragged) -> usize {
        2 * layout.pairs() * self.channels()
    }
}
