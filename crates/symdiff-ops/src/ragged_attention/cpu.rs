//! One task per sample; its heads one after the other, in matrices that fit the L2 cache.

use super::{Heads, OP};
use crate::fill::{Blocks, fill_one};
use crate::host::{Real, bind_slices, tensor};
use crate::simd::{Matrix, accumulate, loaded, transpose, uninitialised, vectorised};
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
            accumulate(&mut o[head * heads.width..], width, scratch.by_query(&scratch.p), v, [nodes, heads.width, nodes]);
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
            scratch.times_transposed(&mut ds, v, d_out, T::one_if(true));
            softmax_pulled_back(&scratch.p, &mut ds, scratch.stride, scratch.scale);
            let sizes = [nodes, heads.width, nodes];
            accumulate(&mut dqkv[first..], 3 * width, scratch.by_query(&ds), k, sizes);
            accumulate(&mut dqkv[width + first..], 3 * width, scratch.by_key(&ds), q, sizes);
            accumulate(&mut dqkv[2 * width + first..], 3 * width, scratch.by_key(&scratch.p), d_out, sizes);
        }
    });
    tensor(dqkv, &[layout.nodes(), 3 * width])
}

/// q, k and v of one head, `[n, d]` each, inside a sample's rows of qkv.
fn views<T>(qkv: &[T], head: usize, heads: Heads) -> [Matrix<'_, T>; 3] {
    let width = heads.channels();
    [0, 1, 2].map(|part| Matrix { values: &qkv[part * width + head * heads.width..], rows: 3 * width, columns: 1 })
}

/// What a task needs beside its input and output: the probabilities, a row for each key and a column for each query, and room to transpose
/// queries into. Rows are whole vectors of queries; in columns beyond the last query stands what nobody reads.
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

    /// p = softmax(k·qᵀ/√d), query by query.
    fn probabilities(&mut self, q: Matrix<T>, k: Matrix<T>) {
        let mut p = std::mem::take(&mut self.p);
        self.times_transposed(&mut p, k, q, self.scale);
        softmax(&mut p, self.stride);
        self.p = p;
    }

    /// out = a·bᵀ·factor for a and b `[n, d]`.
    fn times_transposed(&mut self, out: &mut [T], a: Matrix<T>, b: Matrix<T>, factor: T) {
        // SAFETY: `transpose` leaves no entry uninitialised.
        transpose(unsafe { uninitialised(&mut self.transposed) }, self.stride, b, [self.nodes, self.width], factor);
        out.fill(T::default());
        let transposed = Matrix::dense(&self.transposed, self.stride);
        accumulate(out, self.stride, a, transposed, [self.nodes, self.stride, self.width]);
    }

    /// Values laid out as the probabilities are, with a row for each query.
    fn by_query<'a>(&self, values: &'a [T]) -> Matrix<'a, T> {
        Matrix::transposed(values, self.stride)
    }

    /// The same with a row for each key.
    fn by_key<'a>(&self, values: &'a [T]) -> Matrix<'a, T> {
        Matrix::dense(values, self.stride)
    }
}

/// Queries are worked on this many at a time.
const LANES: usize = 16;

vectorised! {
    /// Each column becomes its softmax.
    fn softmax<T>(p: &mut [T], stride: usize) {
        for first in (0..stride).step_by(LANES) {
            let mut tops = [T::from_f64(f64::NEG_INFINITY); LANES];
            for row in p.chunks_exact(stride) {
                let scores: [T; LANES] = loaded(&row[first..]);
                for l in 0..LANES {
                    tops[l] = if scores[l] > tops[l] { scores[l] } else { tops[l] };
                }
            }
            let mut sums = [T::default(); LANES];
            for row in p.chunks_exact_mut(stride) {
                for (l, p) in row[first..first + LANES].iter_mut().enumerate() {
                    *p = (*p - tops[l]).exp_nonpositive();
                    sums[l] += *p;
                }
            }
            let inverse = sums.map(|sum| T::one_if(true) / sum);
            for row in p.chunks_exact_mut(stride) {
                for (l, p) in row[first..first + LANES].iter_mut().enumerate() {
                    *p *= inverse[l];
                }
            }
        }
    }

    /// ds, which comes in as dP, becomes P∘(dP − Σ P·dP)·scale, the sum being that of the column.
    fn softmax_pulled_back<T>(p: &[T], ds: &mut [T], stride: usize, scale: T) {
        for first in (0..stride).step_by(LANES) {
            let mut means = [T::default(); LANES];
            for (p, ds) in p.chunks_exact(stride).zip(ds.chunks_exact(stride)) {
                let (p, ds): ([T; LANES], [T; LANES]) = (loaded(&p[first..]), loaded(&ds[first..]));
                for l in 0..LANES {
                    means[l] = p[l].fma(ds[l], means[l]);
                }
            }
            for (p, ds) in p.chunks_exact(stride).zip(ds.chunks_exact_mut(stride)) {
                let p: [T; LANES] = loaded(&p[first..]);
                for (l, ds) in ds[first..first + LANES].iter_mut().enumerate() {
                    *ds = p[l] * (*ds - means[l]) * scale;
                }
            }
        }
    }
}
