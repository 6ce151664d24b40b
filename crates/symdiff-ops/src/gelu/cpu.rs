//! Blocks of a few thousand entries.

use super::{CUBIC, FLAT, LINEAR, OP};
use crate::Result;
use crate::fill::{Blocks, even_bounds, fill_one, fill_places};
use crate::host::{Real, bind_slices, tensor};
use crate::simd::{sigmoid, vectorised};
use candle_core::Tensor;
use std::mem::MaybeUninit;

/// As many entries are made by one task.
const BLOCK: usize = 8192;

pub(super) fn forward<T: Real>(x: &Tensor) -> Result<Tensor> {
    let shape = x.dims().to_vec();
    bind_slices!(OP, T, x);
    let bounds = even_bounds(x.len(), 1, BLOCK);
    let y = fill_one(4 * x.len(), Blocks { bounds: &bounds, width: 1 }, |block, y| activated(&x[bounds[block]..][..y.len()], y));
    tensor(y, &shape)
}

pub(super) fn replayed<T: Real>(x: &Tensor, dy: &Tensor) -> Result<[Tensor; 2]> {
    let shape = x.dims().to_vec();
    bind_slices!(OP, T, x, dy);
    let bounds = even_bounds(x.len(), 1, BLOCK);
    let body = |block: usize, [y, dx]: [&mut [MaybeUninit<T>]; 2]| {
        let start = bounds[block];
        pulled_back(&x[start..][..dx.len()], &dy[start..][..dx.len()], y, dx);
    };
    // SAFETY: `pulled_back` writes every entry of its slices, which are as long as its inputs.
    let [y, dx] = unsafe { fill_places(5 * x.len(), [(), ()].map(|()| Blocks { bounds: &bounds, width: 1 }), body) };
    Ok([tensor(y, &shape)?, tensor(dx, &shape)?])
}

vectorised! {
    fn activated<T>(x: &[T], y: &mut [T]) {
        let (linear, cubic) = (T::from_f64(LINEAR), T::from_f64(CUBIC));
        for (y, &x) in y.iter_mut().zip(x) {
            *y = x * sigmoid(x * cubic.fma(x * x, linear));
        }
    }

    /// With s the sigmoid of 2u: y = x·s, dx = dy·s·(1 + x·(1 − s)·(2u)′).
    fn pulled_back<T>(x: &[T], dy: &[T], y: &mut [MaybeUninit<T>], dx: &mut [MaybeUninit<T>]) {
        let (linear, cubic, slope) = (T::from_f64(LINEAR), T::from_f64(CUBIC), T::from_f64(3.0 * CUBIC));
        let (one, flat) = (T::one_if(true), T::from_f64(FLAT));
        for ((y, dx), (&x, &dy)) in y.iter_mut().zip(dx).zip(x.iter().zip(dy)) {
            let s = sigmoid(x * cubic.fma(x * x, linear));
            y.write(x * s);
            // Comparisons that are false for NaN, which then stays.
            let x = if x > flat { flat } else { x };
            let x = if x < -flat { -flat } else { x };
            dx.write(dy * s * (x * slope.fma(x * x, linear)).fma(one - s, one));
        }
    }
}
