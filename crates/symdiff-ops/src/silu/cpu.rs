//! Blocks of a few thousand entries.

use super::OP;
use crate::Result;
use crate::fill::{Blocks, even_bounds, fill_one};
use crate::host::{Real, bind_slices, tensor};
use crate::simd::{sigmoid, vectorised};
use candle_core::Tensor;

/// As many entries are made by one task.
const BLOCK: usize = 8192;

pub(super) fn forward<T: Real>(x: &Tensor) -> Result<Tensor> {
    let shape = x.dims().to_vec();
    bind_slices!(OP, T, x);
    let bounds = even_bounds(x.len(), 1, BLOCK);
    let y = fill_one(4 * x.len(), Blocks { bounds: &bounds, width: 1 }, |block, y| activated(&x[bounds[block]..][..y.len()], y));
    tensor(y, &shape)
}

pub(super) fn backward<T: Real>(x: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let shape = x.dims().to_vec();
    bind_slices!(OP, T, x, dy);
    let bounds = even_bounds(x.len(), 1, BLOCK);
    let dx = fill_one(4 * x.len(), Blocks { bounds: &bounds, width: 1 }, |block, dx| {
        let start = bounds[block];
        pulled_back(&x[start..][..dx.len()], &dy[start..][..dx.len()], dx);
    });
    tensor(dx, &shape)
}

vectorised! {
    fn activated<T>(x: &[T], y: &mut [T]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = x * sigmoid(x);
        }
    }

    fn pulled_back<T>(x: &[T], dy: &[T], dx: &mut [T]) {
        let one = T::one_if(true);
        for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
            let s = sigmoid(x);
            *dx = dy * s * x.fma(one - s, one);
        }
    }
}
