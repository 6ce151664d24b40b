//! One task per sample, one row after the other.

use super::{Columns, OP};
use crate::fill::{Blocks, fill_places, zeroed};
use crate::host::{Real, bind_slices, gathered, row_of, tensor};
use crate::simd::{sum, sum2, sum3, vectorised};
use crate::{Ragged, Result};
use candle_core::Tensor;
use std::mem::MaybeUninit;

/// Added to the variance.
const EPSILON: f64 = 1e-6;

pub(super) fn forward<T: Real>(x: &Tensor, modulation: &Tensor, columns: Columns, layout: &Ragged) -> Result<Tensor> {
    let (width, row) = (x.dims()[1], row_of(modulation));
    bind_slices!(OP, T, x, modulation);
    let body = |sample: usize, [y]: [&mut [MaybeUninit<T>]; 1]| {
        let x = &x[layout.rows(sample).start * width..][..y.len()];
        let modulation = &modulation[row(sample)];
        modulated(x, &modulation[columns.shift..][..width], &modulation[columns.scale..][..width], y);
    };
    // SAFETY: `modulated` writes whole rows, those of the sample.
    let [y] = unsafe { fill_places(2 * x.len(), [Blocks { bounds: layout.offsets(), width }], body) };
    tensor(y, &[layout.nodes(), width])
}

pub(super) fn backward<T: Real>(
    x: &Tensor,
    modulation: &Tensor,
    columns: Columns,
    dy: &Tensor,
    bypass: Option<&Tensor>,
    layout: &Ragged,
) -> Result<(Tensor, Tensor)> {
    let (width, row, rows) = (x.dims()[1], row_of(modulation), modulation.dims()[0]);
    // Where there is nothing to add to, one row of zeros stands for all.
    let (added, zeros) = (bypass.is_some(), vec![T::default(); width]);
    let bypass = bypass.unwrap_or(dy);
    bind_slices!(OP, T, x, modulation, dy, bypass);
    let samples: Vec<usize> = (0..=layout.len()).collect();
    let blocks = [Blocks { bounds: layout.offsets(), width }, Blocks { bounds: &samples, width: 2 * width }];
    let body = |sample: usize, [dx, packed]: [&mut [MaybeUninit<T>]; 2]| {
        let nodes = layout.rows(sample).start * width..layout.rows(sample).end * width;
        let scale = &modulation[row(sample)][columns.scale..][..width];
        let (dshift, dscale) = zeroed(packed).split_at_mut(width);
        let bypass = if added { &bypass[nodes.clone()] } else { &zeros };
        pulled_back(&x[nodes.clone()], scale, &dy[nodes], bypass, dx, dshift, dscale);
    };
    // SAFETY: `pulled_back` writes whole rows, those of the sample.
    let [dx, packed] = unsafe { fill_places(3 * x.len(), blocks, body) };
    Ok((tensor(dx, &[layout.nodes(), width])?, gathered(packed, rows, 2 * width)?))
}

vectorised! {
    fn modulated<T>(x: &[T], shift: &[T], scale: &[T], y: &mut [MaybeUninit<T>]) {
        for (x, y) in x.chunks_exact(scale.len()).zip(y.chunks_exact_mut(scale.len())) {
            let row = Row::of(x);
            for (((y, &x), &shift), &scale) in y.iter_mut().zip(x).zip(shift).zip(scale) {
                let n = row.normalised(x);
                y.write(n.fma(scale, n) + shift);
            }
        }
    }

    /// With g = dy·(1 + scale): dx = bypass + (g − mean(g) − n·mean(g·n)) / σ, dshift += Σ dy, dscale += Σ dy·n. The bypass is as long as x, or
    /// one row.
    fn pulled_back<T>(x: &[T], scale: &[T], dy: &[T], bypass: &[T], dx: &mut [MaybeUninit<T>], dshift: &mut [T], dscale: &mut [T]) {
        let width = scale.len();
        let count = T::from_f64(width as f64);
        let bypass = bypass.chunks_exact(width).cycle();
        for (((x, dy), bypass), dx) in x.chunks_exact(width).zip(dy.chunks_exact(width)).zip(bypass).zip(dx.chunks_exact_mut(width)) {
            let row = Row::of(x);
            for (((&x, &dy), dshift), dscale) in x.iter().zip(dy).zip(dshift.iter_mut()).zip(dscale.iter_mut()) {
                *dshift += dy;
                *dscale = dy.fma(row.normalised(x), *dscale);
            }
            let mean = sum2(dy, scale, |dy, scale| dy.fma(scale, dy)) / count;
            let slope = sum3(dy, scale, x, |dy, scale, x| dy.fma(scale, dy) * row.normalised(x)) / count;
            for ((((dx, &x), &dy), &scale), &bypass) in dx.iter_mut().zip(x).zip(dy).zip(scale).zip(bypass) {
                let g = dy.fma(scale, dy);
                dx.write(bypass + (g - mean - slope * row.normalised(x)) * row.inverse);
            }
        }
    }
}

/// What normalises a row: its first entry, the mean of the entries' differences from it, and 1/σ.
#[derive(Clone, Copy)]
struct Row<T> {
    first: T,
    mean: T,
    inverse: T,
}

impl<T: Real> Row<T> {
    #[inline(always)]
    fn of(x: &[T]) -> Self {
        let (first, count) = (x[0], T::from_f64(x.len() as f64));
        let mean = sum(x, |x| x - first) / count;
        let variance = sum(x, |x| (x - first - mean) * (x - first - mean)) / count;
        Self { first, mean, inverse: T::one_if(true) / (variance + T::from_f64(EPSILON)).sqrt() }
    }

    #[inline(always)]
    fn normalised(self, x: T) -> T {
        (x - self.first - self.mean) * self.inverse
    }
}
