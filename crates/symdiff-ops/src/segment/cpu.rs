//! One task per sample.

use super::Kind;
use crate::fill::{Blocks, fill_one};
use crate::host::{Real, bind_slices, tensor};
use crate::{Ragged, Result};
use candle_core::Tensor;

pub(super) fn reduce<T: Real>(op: &'static str, x: &Tensor, layout: &Ragged, width: usize, kind: Kind) -> Result<Tensor> {
    bind_slices!(op, T, x);
    let samples: Vec<usize> = (0..=layout.len()).collect();
    let sums = fill_one(x.len(), Blocks { bounds: &samples, width }, |sample, sums| add_up(x, layout, sample, kind, sums));
    tensor(sums, &[layout.len(), width])
}

pub(super) fn scatter<T: Real>(op: &'static str, v: &Tensor, layout: &Ragged, width: usize, kind: Kind) -> Result<Tensor> {
    let step = if v.dims()[0] == 1 { 0 } else { width };
    bind_slices!(op, T, v);
    let y = fill_one(width * layout.nodes(), Blocks { bounds: layout.offsets(), width }, |sample, y| {
        let v = &v[step * sample..][..width];
        let factor = weight(layout, sample, kind);
        for row in y.chunks_exact_mut(width.max(1)) {
            row.iter_mut().zip(v).for_each(|(y, &v)| *y = v * factor);
        }
    });
    tensor(y, &[layout.nodes(), width])
}

pub(super) fn centre<T: Real>(op: &'static str, x: &Tensor, layout: &Ragged, width: usize) -> Result<Tensor> {
    bind_slices!(op, T, x);
    let y = fill_one(x.len(), Blocks { bounds: layout.offsets(), width }, |sample, y| {
        let mut mean = vec![T::default(); width];
        add_up(x, layout, sample, Kind::Mean, &mut mean);
        let x = &x[width * layout.rows(sample).start..];
        for (y, x) in y.chunks_exact_mut(width.max(1)).zip(x.chunks_exact(width.max(1))) {
            for ((y, &x), &mean) in y.iter_mut().zip(x).zip(&mean) {
                *y = x - mean;
            }
        }
    });
    tensor(y, &[layout.nodes(), width])
}

/// Adds a sample's rows to `sums` and divides by their number for a mean.
fn add_up<T: Real>(x: &[T], layout: &Ragged, sample: usize, kind: Kind, sums: &mut [T]) {
    let width = sums.len();
    for row in layout.rows(sample) {
        sums.iter_mut().zip(&x[width * row..]).for_each(|(sum, &x)| *sum += x);
    }
    let factor = weight(layout, sample, kind);
    for sum in sums.iter_mut() {
        *sum *= factor;
    }
}

fn weight<T: Real>(layout: &Ragged, sample: usize, kind: Kind) -> T {
    match kind {
        Kind::Sum => T::from_f64(1.0),
        Kind::Mean => T::from_f64(1.0 / layout.rows(sample).len() as f64),
    }
}
