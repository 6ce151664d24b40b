//! One task a sample, one row after the other.

use super::{Columns, OP};
use crate::fill::{Blocks, fill, fill_one};
use crate::host::{Real, bind_slices, gathered, row_of, tensor};
use crate::simd::{sum, sum2, sum3, vectorised};
use crate::{Ragged, Result};
use candle_core::Tensor;

/// Added to the variance.
const EPSILON: f64 = 1e-6;

pub(super) fn forward<T: Real>(x: &Tensor, modulation: &Tensor, columns: Columns, layout: &Ragged) -> Result<Tensor> {
    let (width, row) = (x.dims()[1], row_of(modulation));
    bind_slices!(OP, T, x, modulation);
    let y = fill_one(2 * x.len(), Blocks { bounds: layout.offsets(), width }, |sample, y| {
        let x = &x[layout.rows(sample).start * width..][..y.len()];
        let modulation = &modulation[row(sample)];
        modulated(x, &modulation[columns.shift..][..width], &modulation[columns.scale..][..width], y);
    });
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
    // What is added to is read only where there is one.
    let (added, bypass) = (bypass.is_some(), bypass.unwrap_or(dy));
    bind_slices!(OP, T, x, modulation, dy, bypass);
    let samples: Vec<usize> = (0..=layout.len()).collect();
    let blocks = [Blocks { bounds: layout.offsets(), width }, Blocks { bounds: &samples, width: 2 * width }];
    let [dx, packed] = fill(3 * x.len(), blocks, |sample, [dx, packed]| {
        let nodes = layout.rows(sample).start * width..layout.rows(sample).end * width;
        let scale = &modulation[row(sample)][columns.scale..][..width];
        let (dshift, dscale) = packed.split_at_mut(width);
        if added {
            dx.copy_from_slice(&bypass[nodes.clone()]);
        }
        pulled_back(&x[nodes.clone()], scale, &dy[nodes], dx, dshift, dscale);
    });
    Ok((tensor(dx, &[layout.nodes(), width])?, gathered(packed, rows, 2 * width)?))
}

vectorised! {
    fn modulated<T>(x: &[T], shift: &[T], scale: &[T], y: &mut [T]) {
        for (x, y) in x.chunks_exact(scale.len()).zip(y.chunks_exact_mut(scale.len())) {
            let row = Row::of(x);
            for (((y, &x), &shift), &scale) in y.iter_mut().zip(x).zip(shift).zip(scale) {
                let n = row.normalised(x);
                *y = n.fma(scale, n) + shift;
            }
        }
    }

    /// With g = dy·(1 + scale): dx += (g − mean(g) − n·mean(g·n)) / σ, dshift = Σ dy, dscale = Σ dy·n.
    fn pulled_back<T>(x: &[T], scale: &[T], dy: &[T], dx: &mut [T], dshift: &mut [T], dscale: &mut [T]) {
        let width = scale.len();
        let count = T::from_f64(width as f64);
        for ((x, dy), dx) in x.chunks_exact(width).zip(dy.chunks_exact(width)).zip(dx.chunks_exact_mut(width)) {
            let row = Row::of(x);
            for (((&x, &dy), dshift), dscale) in x.iter().zip(dy).zip(dshift.iter_mut()).zip(dscale.iter_mut()) {
                *dshift += dy;
                *dscale = dy.fma(row.normalised(x), *dscale);
            }
            let mean = sum2(dy, scale, |dy, scale| dy.fma(scale, dy)) / count;
            let slope = sum3(dy, scale, x, |dy, scale, x| dy.fma(scale, dy) * row.normalised(x)) / count;
            for (((dx, &x), &dy), &scale) in dx.iter_mut().zip(x).zip(dy).zip(scale) {
                let g = dy.fma(scale, dy);
                *dx += (g - mean - slope * row.normalised(x)) * row.inverse;
            }
        }
    }
}

/// What normalises a row: its first entry, the mean of the rest of each entry, and 1/σ.
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
