//! Small matrix products: too small for packing an operand to pay, too frequent for a plain loop.

use super::{Matrix, loaded, vectorised};
use crate::host::Real;

/// Rows of the result that a tile holds in registers.
const TALL: usize = 6;

vectorised! {
    /// `out[i, j] += Σ a[i, p]·b[p, j]` for i < m, j < n, p < k. Rows of `b` (strided by `b.rows`) and of `out` (by `stride`) are
    /// contiguous. Each entry is summed in the order of p, whatever the tile it falls in.
    pub(crate) fn accumulate<T>(out: &mut [T], stride: usize, a: Matrix<T>, b: Matrix<T>, sizes: [usize; 3]) {
        let [m, n, k] = sizes;
        assert!(a.holds([m, k]) && b.holds([k, n]) && b.columns == 1, "the operands hold what their strides reach");
        let (wide, half) = (n - n % 32, n - n % 16);
        for j in (0..wide).step_by(32) {
            column_of_tiles::<T, 32>(out, stride, a, b, [m, j, k]);
        }
        for j in (wide..half).step_by(16) {
            column_of_tiles::<T, 16>(out, stride, a, b, [m, j, k]);
        }
        for j in half..n {
            column_of_tiles::<T, 1>(out, stride, a, b, [m, j, k]);
        }
    }
}

#[inline(always)]
fn column_of_tiles<T: Real, const WIDE: usize>(out: &mut [T], stride: usize, a: Matrix<T>, b: Matrix<T>, [m, j, k]: [usize; 3]) {
    for i in (0..m).step_by(TALL) {
        let out = &mut out[i * stride + j..];
        match m - i {
            1 => tile::<T, 1, WIDE>(out, stride, a, b, [i, j, k]),
            2 => tile::<T, 2, WIDE>(out, stride, a, b, [i, j, k]),
            3 => tile::<T, 3, WIDE>(out, stride, a, b, [i, j, k]),
            4 => tile::<T, 4, WIDE>(out, stride, a, b, [i, j, k]),
            5 => tile::<T, 5, WIDE>(out, stride, a, b, [i, j, k]),
            _ => tile::<T, TALL, WIDE>(out, stride, a, b, [i, j, k]),
        }
    }
}

#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "counted loops over both sides of the tile keep it in registers")]
fn tile<T: Real, const H: usize, const W: usize>(out: &mut [T], stride: usize, a: Matrix<T>, b: Matrix<T>, [first, j, k]: [usize; 3]) {
    let mut sums = [[T::default(); W]; H];
    for p in 0..k {
        let row: [T; W] = loaded(&b.values[p * b.rows + j..]);
        for i in 0..H {
            // SAFETY: `accumulate` has checked that a holds its rows and terms.
            let factor = unsafe { *a.values.get_unchecked((first + i) * a.rows + p * a.columns) };
            for l in 0..W {
                sums[i][l] = factor.fma(row[l], sums[i][l]);
            }
        }
    }
    for (i, sums) in sums.iter().enumerate() {
        for (out, &sum) in out[i * stride..][..W].iter_mut().zip(sums) {
            *out += sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, so that every order of summation gives the same bits.
    fn filled(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|k| ((k * 7 + seed) % 11) as f32 - 5.0).collect()
    }

    #[test]
    fn tiles_of_all_shapes_cover_the_result() {
        for [m, n, k] in [[1, 1, 1], [4, 32, 8], [5, 49, 3], [7, 15, 9], [9, 80, 1]] {
            let (a, b) = (filled(m * k, 1), filled(k * (n + 3), 2));
            for (rows, columns) in [(k, 1), (1, m)] {
                let mut out = filled(m * (n + 2), 3);
                let mut expected = out.clone();
                for i in 0..m {
                    for j in 0..n {
                        let sum: f32 = (0..k).map(|p| a[i * rows + p * columns] * b[p * (n + 3) + j]).sum();
                        expected[i * (n + 2) + j] += sum;
                    }
                }
                accumulate(
                    &mut out,
                    n + 2,
                    Matrix { values: &a, rows, columns },
                    Matrix { values: &b, rows: n + 3, columns: 1 },
                    [m, n, k],
                );
                assert_eq!(out, expected, "{m} × {n} × {k}");
            }
        }
    }
}
