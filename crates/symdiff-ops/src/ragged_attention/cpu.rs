//! One task a sample; its heads one after the other, in matrices that fit the second cache.

use super::{Heads, OP};
use crate::fill::{Blocks, fill_one};
use crate::host::{Real, bind_slices, tensor};
use crate::simd::{Matrix, accumulate, folded, places, transpose, vectorised};
use crate::{Ragged, Result};
use candle_core::Tensor;

pub(super) fn forward<T: Real>(qkv: &Tensor, heads: Heads, layout: &Ragged) -> Result<Tensor> {
    let width = heads.channels();
    bind_slices!(OP, T, qkv);
    let o = fill_one(layout.pairs() * width, Blocks { bounds: layout.offsets(), width }, |sample, o| {
        let rows = layout.rows(sample);
        let nodes = rows.len();
        let mut scratch = Scratch::new(nodes, heads);
        for head in 0..heads.count {
            let [q, k, v] = views(&qkv[3 * width * rows.start..3 * width * rows.end], head, heads);
            scratch.probabilities(q, k);
            let p = Matrix { values: &scratch.p, rows: scratch.stride, columns: 1 };
            accumulate(&mut o[head * heads.width..], width, p, v, [nodes, heads.width, nodes]);
        }
    });
    tensor(o, &[layout.nodes(), width])
}

/// With P the probabilities and dP = do·vᵀ: dS = P∘(dP − `Σ_j` P·dP), dq = dS·k/√d, dk = dSᵀ·q/√d, dv = Pᵀ·do.
pub(super) fn backward<T: Real>(qkv: &Tensor, gradient: &Tensor, heads: Heads, layout: &Ragged) -> Result<Tensor> {
    let width = heads.channels();
    bind_slices!(OP, T, qkv, gradient);
    let dqkv = fill_one(3 * layout.pairs() * width, Blocks { bounds: layout.offsets(), width: 3 * width }, |sample, dqkv| {
        let rows = layout.rows(sample);
        let nodes = rows.len();
        let mut scratch = Scratch::new(nodes, heads);
        let mut ds = vec![T::default(); nodes * scratch.stride];
        for head in 0..heads.count {
            let [q, k, v] = views(&qkv[3 * width * rows.start..3 * width * rows.end], head, heads);
            let first = head * heads.width;
            let d_out = Matrix { values: &gradient[width * rows.start + first..width * rows.end], rows: width, columns: 1 };
            scratch.probabilities(q, k);
            scratch.times_transposed(&mut ds, d_out, v, T::one_if(true));
            softmax_pulled_back(&scratch.p, &mut ds, scratch.stride, scratch.scale);
            let by_query = |values| Matrix { values, rows: scratch.stride, columns: 1 };
            let by_key = |values| Matrix { values, rows: 1, columns: scratch.stride };
            let sizes = [nodes, heads.width, nodes];
            accumulate(&mut dqkv[first..], 3 * width, by_query(&ds), k, sizes);
            accumulate(&mut dqkv[width + first..], 3 * width, by_key(&ds), q, sizes);
            accumulate(&mut dqkv[2 * width + first..], 3 * width, by_key(&scratch.p), d_out, sizes);
        }
    });
    tensor(dqkv, &[layout.nodes(), 3 * width])
}

/// q, k and v of one head, `[n, d]` each, inside a sample's rows of qkv.
fn views<T>(qkv: &[T], head: usize, heads: Heads) -> [Matrix<'_, T>; 3] {
    let width = heads.channels();
    [0, 1, 2].map(|part| Matrix { values: &qkv[part * width + head * heads.width..], rows: 3 * width, columns: 1 })
}

/// What a task needs beside its input and output: the probabilities `[n, stride]`, and room to transpose k or v into.
struct Scratch<T> {
    p: Vec<T>,
    transposed: Vec<T>,
    nodes: usize,
    width: usize,
    /// n rounded up to whole vectors.
    stride: usize,
    /// 1 / √d.
    scale: T,
}

impl<T: Real> Scratch<T> {
    fn new(nodes: usize, heads: Heads) -> Self {
        let (width, stride) = (heads.width, nodes.next_multiple_of(LANES));
        let scale = T::from_f64(1.0 / (width as f64).sqrt());
        let zero = T::default();
        Self { p: vec![zero; nodes * stride], transposed: vec![zero; width * stride], nodes, width, stride, scale }
    }

    /// p = softmax(q·kᵀ/√d), row by row.
    fn probabilities(&mut self, q: Matrix<T>, k: Matrix<T>) {
        let mut p = std::mem::take(&mut self.p);
        self.times_transposed(&mut p, q, k, self.scale);
        softmax(&mut p, self.stride, self.nodes);
        self.p = p;
    }

    /// out = a·bᵀ·factor for a and b `[n, d]`.
    fn times_transposed(&mut self, out: &mut [T], a: Matrix<T>, b: Matrix<T>, factor: T) {
        // SAFETY: nothing but numbers is written.
        transpose(unsafe { places(&mut self.transposed) }, self.stride, b, [self.nodes, self.width], factor);
        out.fill(T::default());
        let transposed = Matrix::dense(&self.transposed, self.stride);
        accumulate(out, self.stride, a, transposed, [self.nodes, self.stride, self.width]);
    }
}

/// Entries of a row are worked on this many at a time.
const LANES: usize = 16;

vectorised! {
    /// Each row's first `nodes` entries become its softmax, the others zero.
    fn softmax<T>(p: &mut [T], stride: usize, nodes: usize) {
        // Of the last vector of each row, the lanes that hold entries.
        let last = stride / LANES - 1;
        let inside: [bool; LANES] = std::array::from_fn(|l| last * LANES + l < nodes);
        for row in p.chunks_exact_mut(stride) {
            let row = row.as_chunks_mut::<LANES>().0;
            for l in 0..LANES {
                row[last][l] = if inside[l] { row[last][l] } else { T::from_f64(f64::NEG_INFINITY) };
            }
            let mut tops = row[0];
            for vector in row.iter().skip(1) {
                for l in 0..LANES {
                    tops[l] = if vector[l] > tops[l] { vector[l] } else { tops[l] };
                }
            }
            let top = folded(tops, |x, y| if y > x { y } else { x });
            let mut sums = [T::default(); LANES];
            for vector in row.iter_mut() {
                for l in 0..LANES {
                    vector[l] = (vector[l] - top).exp_nonpositive();
                    sums[l] += vector[l];
                }
            }
            let inverse = T::one_if(true) / folded(sums, |x, y| x + y);
            for vector in row.iter_mut() {
                for p in vector.iter_mut() {
                    *p *= inverse;
                }
            }
        }
    }

    /// ds, which comes in as dP, becomes P∘(dP − Σ P·dP)·scale; zero where P is.
    fn softmax_pulled_back<T>(p: &[T], ds: &mut [T], stride: usize, scale: T) {
        for (p, ds) in p.chunks_exact(stride).zip(ds.chunks_exact_mut(stride)) {
            let (p, ds) = (p.as_chunks::<LANES>().0, ds.as_chunks_mut::<LANES>().0);
            let mut sums = [T::default(); LANES];
            for (p, ds) in p.iter().zip(ds.iter()) {
                for l in 0..LANES {
                    sums[l] = p[l].fma(ds[l], sums[l]);
                }
            }
            let mean = folded(sums, |x, y| x + y);
            for (p, ds) in p.iter().zip(ds.iter_mut()) {
                for l in 0..LANES {
                    ds[l] = p[l] * (ds[l] - mean) * scale;
                }
            }
        }
    }
}
