//! One task per sample.

use super::OP;
use crate::fill::{Blocks, fill, fill_places};
use crate::host::{Real, bind_slices, gathered, row_of, tensor};
use crate::simd::vectorised;
use crate::{Ragged, Result};
use candle_core::Tensor;
use std::mem::MaybeUninit;

pub(super) fn forward<T: Real>(x: &Tensor, y: &Tensor, modulation: &Tensor, first: usize, layout: &Ragged) -> Result<Tensor> {
    let (width, row) = (x.dims()[1], row_of(modulation));
    bind_slices!(OP, T, x, y, modulation);
    let body = |sample: usize, [z]: [&mut [MaybeUninit<T>]; 1]| {
        let nodes = layout.rows(sample).start * width..layout.rows(sample).end * width;
        added(&x[nodes.clone()], &y[nodes], &modulation[row(sample)][first..][..width], z);
    };
    // SAFETY: `added` writes whole rows, those of the sample.
    let [z] = unsafe { fill_places(3 * x.len(), [Blocks { bounds: layout.offsets(), width }], body) };
    tensor(z, &[layout.nodes(), width])
}

pub(super) fn backward<T: Real>(y: &Tensor, modulation: &Tensor, first: usize, dz: &Tensor, layout: &Ragged) -> Result<(Tensor, Tensor)> {
    let (width, row, rows) = (y.dims()[1], row_of(modulation), modulation.dims()[0]);
    bind_slices!(OP, T, y, modulation, dz);
    let samples: Vec<usize> = (0..=layout.len()).collect();
    let blocks = [Blocks { bounds: layout.offsets(), width }, Blocks { bounds: &samples, width }];
    let [dy, dgate] = fill(3 * y.len(), blocks, |sample, [dy, dgate]| {
        let nodes = layout.rows(sample).start * width..layout.rows(sample).end * width;
        pulled_back(&y[nodes.clone()], &modulation[row(sample)][first..][..width], &dz[nodes], dy, dgate);
    });
    Ok((tensor(dy, &[layout.nodes(), width])?, gathered(dgate, rows, width)?))
}

vectorised! {
    fn added<T>(x: &[T], y: &[T], gate: &[T], z: &mut [MaybeUninit<T>]) {
        let width = gate.len();
        for ((x, y), z) in x.chunks_exact(width).zip(y.chunks_exact(width)).zip(z.chunks_exact_mut(width)) {
            for (((z, &x), &y), &gate) in z.iter_mut().zip(x).zip(y).zip(gate) {
                z.write(gate.fma(y, x));
            }
        }
    }

    fn pulled_back<T>(y: &[T], gate: &[T], dz: &[T], dy: &mut [T], dgate: &mut [T]) {
        let width = gate.len();
        for ((y, dz), dy) in y.chunks_exact(width).zip(dz.chunks_exact(width)).zip(dy.chunks_exact_mut(width)) {
            for ((((dy, &y), &dz), &gate), dgate) in dy.iter_mut().zip(y).zip(dz).zip(gate).zip(dgate.iter_mut()) {
                *dy = gate * dz;
                *dgate = dz.fma(y, *dgate);
            }
        }
    }
}
