//! Blocks of a few rows, each small enough for the L1 cache.

use super::OP;
use crate::Result;
use crate::fill::{Blocks, even_bounds, fill_places};
use crate::host::{Real, bind_slices, tensor};
use crate::simd::{sigmoid, vectorised};
use candle_core::Tensor;
use std::mem::MaybeUninit;

/// About as many results are made by one task.
const BLOCK: usize = 2048;

pub(super) fn forward<T: Real>(x: &Tensor, [rows, width]: [usize; 2]) -> Result<Tensor> {
    bind_slices!(OP, T, x);
    let bounds = even_bounds(rows, width, BLOCK);
    let body = |block: usize, [y]: [&mut [MaybeUninit<T>]; 1]| gated(&x[2 * width * bounds[block]..][..2 * y.len()], width, y);
    // SAFETY: `gated` writes whole rows, and a block has no others.
    let [y] = unsafe { fill_places(4 * x.len(), [Blocks { bounds: &bounds, width }], body) };
    tensor(y, &[rows, width])
}

/// The result once more, and the gradient of x.
pub(super) fn replayed<T: Real>(x: &Tensor, dy: &Tensor, [rows, width]: [usize; 2]) -> Result<[Tensor; 2]> {
    bind_slices!(OP, T, x, dy);
    let bounds = even_bounds(rows, width, BLOCK);
    let body = |block: usize, [y, dx]: [&mut [MaybeUninit<T>]; 2]| {
        let start = bounds[block] * width;
        pulled_back(&x[2 * start..][..dx.len()], &dy[start..][..y.len()], width, y, dx);
    };
    // SAFETY: `pulled_back` writes whole rows, and a block has no others.
    let [y, dx] = unsafe { fill_places(5 * dy.len(), [width, 2 * width].map(|width| Blocks { bounds: &bounds, width }), body) };
    Ok([tensor(y, &[rows, width])?, tensor(dx, &[rows, 2 * width])?])
}

vectorised! {
    fn gated<T>(x: &[T], width: usize, y: &mut [MaybeUninit<T>]) {
        for (x, y) in x.chunks_exact(2 * width).zip(y.chunks_exact_mut(width)) {
            let (a, b) = x.split_at(width);
            for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
                y.write(a * sigmoid(a) * b);
            }
        }
    }

    /// With s the sigmoid of a: y = a·s·b, da = dy·b·s·(1 + a·(1 − s)), db = dy·a·s.
    fn pulled_back<T>(x: &[T], dy: &[T], width: usize, y: &mut [MaybeUninit<T>], dx: &mut [MaybeUninit<T>]) {
        let one = T::one_if(true);
        let rows = x.chunks_exact(2 * width).zip(dy.chunks_exact(width));
        for ((x, dy), (y, dx)) in rows.zip(y.chunks_exact_mut(width).zip(dx.chunks_exact_mut(2 * width))) {
            let ((a, b), (da, db)) = (x.split_at(width), dx.split_at_mut(width));
            let written = y.iter_mut().zip(da.iter_mut()).zip(db.iter_mut());
            for ((((y, da), db), (&a, &b)), &dy) in written.zip(a.iter().zip(b)).zip(dy) {
                let s = sigmoid(a);
                y.write(a * s * b);
                da.write(dy * b * s * a.fma(one - s, one));
                db.write(dy * a * s);
            }
        }
    }
}
