//! Small matrix products: too small for `gemm` to pay, too hot for a plain loop.

use crate::host::Real;

/// A strided matrix: entry (i, j) is `values[i·rows + j·columns]`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

/// Rows of the result that a tile holds in registers.
const TALL: usize = 4;

/// out[i, j] += Σ_p a[i, p]·b[p, j] for i < m, j < n, p < k. Rows of `b` (strided by `b.rows`) and of `out` (by `stride`) are contiguous.
/// Each entry is summed in the order of p, whatever the tile it falls in.
#[inline(always)]
pub(crate) fn accumulate<T: Real>(out: &mut [T], stride: usize, a: Matrix<T>, b: Matrix<T>, [m, n, k]: [usize; 3]) {
    let mut j = 0;
    while j + 32 <= n {
        column_of_tiles::<T, 32>(out, stride, a, b, [m, j, k]);
        j += 32;
    }
    while j + 16 <= n {
        column_of_tiles::<T, 16>(out, stride, a, b, [m, j, k]);
        j += 16;
    }
    while j < n {
        column_of_tiles::<T, 1>(out, stride, a, b, [m, j, k]);
        j += 1;
    }
}

#[inline(always)]
fn column_of_tiles<T: Real, const WIDE: usize>(out: &mut [T], stride: usize, a: Matrix<T>, b: Matrix<T>, [m, j, k]: [usize; 3]) {
    let mut i = 0;
    while i + TALL <= m {
        tile::<T, TALL, WIDE>(&mut out[i * stride + j..], stride, Matrix { values: &a.values[i * a.rows..], ..a }, b, j, k);
        i += TALL;
    }
    while i < m {
        tile::<T, 1, WIDE>(&mut out[i * stride + j..], stride, Matrix { values: &a.values[i * a.rows..], ..a }, b, j, k);
        i += 1;
    }
}

#[inline(always)]
fn tile<T: Real, const H: usize, const W: usize>(out: &mut [T], stride: usize, a: Matrix<T>, b: Matrix<T>, j: usize, k: usize) {
    let mut sums = [[T::default(); W]; H];
    for p in 0..k {
        let row: &[T; W] = match b.values[p * b.rows + j..].first_chunk() {
            Some(row) => row,
            None => return,
        };
        for (i, sums) in sums.iter_mut().enumerate() {
            let factor = a.values[i * a.rows + p * a.columns];
            for l in 0..W {
                sums[l] = factor.fma(row[l], sums[l]);
            }
        }
    }
    for (i, sums) in sums.iter().enumerate() {
        for (out, &sum) in out[i * stride..][..W].iter_mut().zip(sums) {
            *out += sum;
        }
    }
}
