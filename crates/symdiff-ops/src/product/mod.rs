//! Matrix products whose right operand is packed beforehand.
//!
//! The usual blocking (Goto and van de Geijn, ACM TOMS 34, 2008). The right operand is packed into slivers a few registers wide. A tile of
//! six rows of the result stays in registers while it is summed along a sliver. A chunk of rows of the left operand stays in the L2 cache
//! while it is multiplied by all slivers; the next sliver is prefetched meanwhile. What this gains over a general library, for the few
//! hundred rows and columns of these networks: a weight is packed once for all panels of a batch, and sums start from the bias.
//!
//! Every entry is summed in the order of k, whatever the number of threads.

mod packed;
mod rows;
mod tile;

pub(crate) use packed::Packed;

use crate::host::Real;
use crate::simd::{Matrix, uninitialised};
use crate::threads;
use rayon::prelude::*;
use rows::Rows;
use std::mem::MaybeUninit;

/// The rows of a chunk, whose left operand stays in the L2 cache: whole tiles.
const CHUNK: usize = 32 * tile::HIGH;

/// Sums are taken over at most this many terms at a time, so that a chunk and a sliver fit the L2 cache.
const DEPTH: usize = 512;

/// Products of fewer operations run on the calling thread: waking the others would cost more.
const SERIAL: usize = 1 << 20;

/// Some of the terms of a product: `depth` columns of the left operand, or rows of the right one.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a, T> {
    pub(crate) matrix: Matrix<'a, T>,
    pub(crate) depth: usize,
}

impl<'a, T> Part<'a, T> {
    pub(crate) fn new(matrix: Matrix<'a, T>, depth: usize) -> Self {
        Self { matrix, depth }
    }
}

/// What a product is added to.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a, T> {
    Zero,
    /// The same row everywhere.
    Row(&'a [T]),
    /// What the target holds.
    Held,
}

/// Where a product is written: rows of `stride` entries.
pub(crate) struct Target<'a, T> {
    pub(crate) values: &'a mut [T],
    pub(crate) stride: usize,
    pub(crate) add: bool,
}

/// start + a·b, row-major `[m, n]`, where `start` is a row or nothing.
pub(crate) fn product<T: Real>(start: Option<&[T]>, a: &[Part<T>], b: &Packed<T>, m: usize) -> Vec<T> {
    let count = m * b.columns();
    let mut out = Vec::with_capacity(count);
    // SAFETY: the result does not start from what it held.
    unsafe { run(&mut out.spare_capacity_mut()[..count], b.columns(), start.map_or(Start::Zero, Start::Row), a, b, m) };
    // SAFETY: `run` has written all entries.
    unsafe { out.set_len(count) };
    out
}

/// target ← a·b, or target + a·b.
pub(crate) fn multiply<T: Real>(target: Target<T>, a: Matrix<T>, b: &Packed<T>, m: usize) {
    let Target { values, stride, add } = target;
    // SAFETY: `run` leaves no entry uninitialised.
    let out = unsafe { uninitialised(values) };
    let start = if add { Start::Held } else { Start::Zero };
    // SAFETY: the target is initialised.
    unsafe { run(out, stride, start, &[Part::new(a, b.depth())], b, m) };
}

/// Writes rows of `stride` entries, in chunks, and all of the first `b.columns()` entries of each.
///
/// # Safety
/// `out` is initialised where `start` is [`Start::Held`].
unsafe fn run<T: Real>(out: &mut [MaybeUninit<T>], stride: usize, start: Start<T>, a: &[Part<T>], b: &Packed<T>, m: usize) {
    let (n, k) = (b.columns(), b.depth());
    let flops = 2 * m * n * k;
    let _span = tracing::trace_span!("product", flops).entered();
    if m * n == 0 {
        return;
    }
    assert!(!a.is_empty(), "a product has at least one part, which may have no terms");
    assert!(n <= stride && (m - 1) * stride + n <= out.len(), "the product fits its target");
    assert!(a.iter().map(|part| part.depth).eq(b.parts().iter().copied()), "both operands have the same terms in the same parts");
    assert!(a.iter().all(|part| part.matrix.holds([m, part.depth])), "the left operand holds what its strides reach");
    assert!(a.iter().all(|part| part.matrix.is_regular()), "rows or columns of the left operand are contiguous");
    assert!(!matches!(start, Start::Row(row) if row.len() < n), "the row to start from is as wide as the result");
    let chunks = out[..(m - 1) * stride + n].chunks_mut(CHUNK * stride).enumerate();
    let work = |buffer: &mut Vec<T>, (chunk, out): (usize, &mut [MaybeUninit<T>])| {
        let rows = Rows { out, stride, start, a, first: chunk * CHUNK, b, buffer };
        pulp::Arch::new().dispatch(rows);
    };
    if m <= CHUNK || flops < SERIAL || threads::count() == 1 {
        let mut buffer = Vec::new();
        chunks.for_each(|chunk| work(&mut buffer, chunk));
    } else {
        let chunks: Vec<_> = chunks.collect();
        chunks.into_par_iter().for_each_init(Vec::new, |buffer, chunk| threads::task(|| work(buffer, chunk)));
    }
}

/// The numbers of terms that are summed at a time, about equal.
fn blocks(depth: usize) -> impl Iterator<Item = usize> {
    let count = depth.div_ceil(DEPTH).max(1);
    (0..count).map(move |block| depth * (block + 1) / count - depth * block / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, so that every order of summation gives the same bits.
    fn filled<T: Real>(count: usize, seed: usize) -> Vec<T> {
        (0..count).map(|k| T::from_f64(((k * 7 + seed) % 11) as f64 - 5.0)).collect()
    }

    /// The parts of a matrix whose terms are divided at `cuts`.
    fn cut<'a, T: Real>(matrix: Matrix<'a, T>, step: usize, cuts: &[usize]) -> Vec<Part<'a, T>> {
        let part = |pair: &[usize]| {
            let values = &matrix.values[(pair[0] * step).min(matrix.values.len())..];
            Part::new(Matrix { values, ..matrix }, pair[1] - pair[0])
        };
        cuts.windows(2).map(part).collect()
    }

    /// Asserts that all numbers agree; `what` says where they came from.
    fn same<T: Real>(got: &[T], expected: &[T], what: &str) {
        let numbers = |values: &[T]| values.iter().map(|value| value.to_f64()).collect::<Vec<f64>>();
        assert_eq!(numbers(got), numbers(expected), "{what}");
    }

    /// The product by its definition, from what `start` gives.
    fn plain<T: Real>(start: impl Fn(usize, usize) -> T, a: Matrix<T>, b: Matrix<T>, [m, n, k]: [usize; 3]) -> Vec<T> {
        let term = |i: usize, j: usize, p: usize| a.values[i * a.rows + p * a.columns] * b.values[p * b.rows + j * b.columns];
        (0..m * n).map(|at| (0..k).fold(start(at / n, at % n), |sum, p| sum + term(at / n, at % n, p))).collect()
    }

    fn check<T: Real>(sizes: [usize; 3]) {
        let [m, n, k] = sizes;
        let (left, right, row) = (filled::<T>(m * k, 1), filled::<T>(k * n, 2), filled::<T>(n, 3));
        let cuts = [0, k / 3, k / 3, k];
        for (a_rows, a_columns) in [(k, 1), (1, m)] {
            for (b_rows, b_columns) in [(n, 1), (1, k)] {
                let what = format!("{sizes:?}, strides {a_rows}, {a_columns} and {b_rows}, {b_columns}");
                let a = Matrix { values: &left, rows: a_rows, columns: a_columns };
                let b = Matrix { values: &right, rows: b_rows, columns: b_columns };
                let (whole, parted) = (Packed::new(b, [k, n]), Packed::stacked(&cut(b, b_rows, &cuts), n));
                let from_zero = plain(|_, _| T::default(), a, b, sizes);
                same(&product(None, &[Part::new(a, k)], &whole, m), &from_zero, &what);
                same(&product(None, &cut(a, a_columns, &cuts), &parted, m), &from_zero, &format!("{what}, in parts"));
                let from_row = plain(|_, j| row[j], a, b, sizes);
                same(&product(Some(&row), &[Part::new(a, k)], &whole, m), &from_row, &format!("{what}, from a row"));

                let stride = n + 3;
                let mut held = filled::<T>(m * stride, 4);
                let sums = plain(|i, j| held[i * stride + j], a, b, sizes);
                let mut out = held.clone();
                multiply(Target { values: &mut out, stride, add: true }, a, &whole, m);
                held.chunks_mut(stride).zip(sums.chunks(n)).for_each(|(row, sums)| row[..n].copy_from_slice(sums));
                same(&out, &held, &format!("{what}, added"));
            }
        }
    }

    #[test]
    fn every_entry_of_every_shape_is_the_sum_of_its_terms() {
        let shapes = [[1, 1, 1], [3, 5, 0], [6, 64, 8], [7, 65, 9], [11, 16, 33], [2, 200, 30], [CHUNK + 5, 130, 40], [13, 400, DEPTH + 1]];
        for shape in shapes {
            check::<f32>(shape);
            check::<f64>(shape);
        }
    }

    /// The product on a given level of vector instructions, from a row.
    fn on<S: pulp::Simd, T: Real>(simd: S, sizes: [usize; 3]) {
        let [m, n, k] = sizes;
        let (left, right, row) = (filled::<T>(m * k, 1), filled::<T>(k * n, 2), filled::<T>(n, 3));
        for (rows, columns) in [(k, 1), (1, m)] {
            let (a, b) = (Matrix { values: &left, rows, columns }, Matrix::dense(&right, n));
            let width = simd.vectorize(packed::Width(std::marker::PhantomData::<T>));
            let packed = Packed::of_width(width, &[Part::new(b, k)], n);
            let mut out = filled::<T>(m * n, 4);
            // SAFETY: a product leaves no entry uninitialised.
            let entries = unsafe { uninitialised(&mut out) };
            let start = Start::Row(&row);
            simd.vectorize(Rows { out: entries, stride: n, start, a: &[Part::new(a, k)], first: 0, b: &packed, buffer: &mut Vec::new() });
            same(&out, &plain(|_, j| row[j], a, b, sizes), &format!("{simd:?}, {sizes:?}, strides {rows}, {columns}"));
        }
    }

    #[test]
    fn older_vector_instructions_give_the_same() {
        for sizes in [[1, 1, 1], [7, 37, 20], [12, 100, DEPTH + 3]] {
            on::<_, f32>(pulp::Scalar::new(), sizes);
            on::<_, f64>(pulp::Scalar::new(), sizes);
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = pulp::x86::V3::try_new() {
                on::<_, f32>(avx2, sizes);
                on::<_, f64>(avx2, sizes);
            }
        }
    }

    #[test]
    #[should_panic(expected = "the left operand holds what its strides reach")]
    fn operands_that_are_too_short_are_refused() {
        let b = Packed::new(Matrix::dense(&[1.0_f32; 6], 3), [2, 3]);
        product(None, &[Part::new(Matrix::dense(&[1.0; 7], 2), 2)], &b, 4);
    }
}
