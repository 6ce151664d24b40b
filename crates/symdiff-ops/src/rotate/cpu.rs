//! Three components per node: plain loops.

use super::OP;
use crate::fill::{Blocks, fill_one};
use crate::host::{Real, bind_slices, tensor};
use crate::{Ragged, Result};
use candle_core::Tensor;

pub(super) fn forward<T: Real>(x: &Tensor, g: &Tensor, layout: &Ragged, inverse: bool) -> Result<Tensor> {
    bind_slices!(OP, T, x, g);
    let y = fill_one(x.len(), Blocks { bounds: layout.offsets(), width: 3 }, |sample, y| {
        let g = &g[9 * sample..][..9];
        let x = &x[3 * layout.rows(sample).start..][..y.len()];
        for (y, x) in y.chunks_exact_mut(3).zip(x.chunks_exact(3)) {
            for (a, y) in y.iter_mut().enumerate() {
                *y = (0..3).fold(T::default(), |sum, c| sum + x[c] * g[at(a, c, inverse)]);
            }
        }
    });
    tensor(y, &[layout.nodes(), 3])
}

pub(super) fn backward_matrix<T: Real>(x: &Tensor, dy: &Tensor, layout: &Ragged, inverse: bool) -> Result<Tensor> {
    bind_slices!(OP, T, x, dy);
    let mut dg = vec![T::default(); 9 * layout.len()];
    for (sample, dg) in dg.chunks_exact_mut(9).enumerate() {
        let rows = 3 * layout.rows(sample).start..3 * layout.rows(sample).end;
        for (x, dy) in x[rows.clone()].chunks_exact(3).zip(dy[rows].chunks_exact(3)) {
            for a in 0..3 {
                for c in 0..3 {
                    dg[at(a, c, inverse)] += dy[a] * x[c];
                }
            }
        }
    }
    tensor(dg, &[layout.len(), 3, 3])
}

/// Where the entry lies that takes component c of x to component a of y.
fn at(a: usize, c: usize, inverse: bool) -> usize {
    if inverse { 3 * c + a } else { 3 * a + c }
}
