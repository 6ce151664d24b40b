//! Transposition.

use super::{Matrix, loaded};
use crate::host::Real;
use std::mem::MaybeUninit;

/// The side of the squares that are transposed at a time where the compiler chooses the instructions.
const SQUARE: usize = 4;

/// The side of the squares on AVX-512, with instructions chosen here: the lanes of a vector of f32.
#[cfg(target_arch = "x86_64")]
const LANES: usize = 16;

/// `out[j·stride + i] = b[i, j]·factor` for i < rows, j < columns; the entries of a row of b are contiguous. What it writes is initialised.
pub(crate) fn transpose<T: Real>(out: &mut [MaybeUninit<T>], stride: usize, b: Matrix<T>, [rows, columns]: [usize; 2], factor: T) {
    assert!(b.columns == 1 && b.holds([rows, columns]), "rows of the matrix are contiguous and within its values");
    assert!(columns == 0 || (columns - 1) * stride + rows <= out.len(), "the result fits");
    let done = by_avx512(out, stride, b, [rows, columns], factor);
    let rest = (done * stride).min(out.len());
    squares(&mut out[rest..], stride, b.tail([0, done]), [rows, columns - done], factor);
}

/// `out[j·stride + i] = b[i, j]` for i < rows, j < columns, bit for bit; the entries of a row of b are contiguous. What it writes is initialised.
pub(crate) fn transpose_words(out: &mut [MaybeUninit<u32>], stride: usize, b: Matrix<u32>, [rows, columns]: [usize; 2]) {
    assert!(b.columns == 1 && b.holds([rows, columns]), "rows of the matrix are contiguous and within its values");
    assert!(columns == 0 || (columns - 1) * stride + rows <= out.len(), "the result fits");
    #[cfg(target_arch = "x86_64")]
    let done = if pulp::x86::V4::is_available() {
        // SAFETY: words are as large as f32; the rest as in `by_avx512`.
        unsafe { whole_squares::<_, false>(out, stride, b, [rows, columns], 1.0) }
    } else {
        0
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    for i in 0..rows {
        for j in done..columns {
            out[j * stride + i].write(b.values[i * b.rows + j]);
        }
    }
}

/// As [`transpose`], for the first columns; returns how many they are: none without AVX-512.
fn by_avx512<T: Real>(out: &mut [MaybeUninit<T>], stride: usize, b: Matrix<T>, [rows, columns]: [usize; 2], factor: T) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let (true, Some(factor)) = (pulp::x86::V4::is_available(), factor.as_f32()) {
        // SAFETY: T is f32; the rows and columns lie inside both (asserted by the caller); the machine has AVX-512.
        return unsafe { whole_squares::<_, true>(out, stride, b, [rows, columns], factor) };
    }
    0
}

/// The transpose of as many columns as whole squares have; returns how many these are.
///
/// # Safety
/// T has 32 bits; `b`, whose rows lie one entry after the other, and `out` hold the matrix; the machine has AVX-512.
#[cfg(target_arch = "x86_64")]
unsafe fn whole_squares<T: Copy, const SCALED: bool>(
    out: &mut [MaybeUninit<T>],
    stride: usize,
    b: Matrix<T>,
    [rows, columns]: [usize; 2],
    factor: f32,
) -> usize {
    let whole = columns - columns % LANES;
    for i in (0..rows).step_by(LANES) {
        for j in (0..whole).step_by(LANES) {
            let (to, from) = (out[j * stride + i..].as_mut_ptr().cast(), b.values[i * b.rows + j..].as_ptr().cast());
            // SAFETY: promised by the caller.
            unsafe { square::<SCALED>(to, stride, from, b.rows, LANES.min(rows - i), factor) };
        }
    }
    whole
}

/// The transpose of up to sixteen rows of sixteen columns, times a factor or bit for bit.
///
/// # Safety
/// `from` points at that many rows of sixteen numbers, `step` apart, and `to` at sixteen rows of as many writable entries, `stride` apart.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn square<const SCALED: bool>(to: *mut f32, stride: usize, from: *const f32, step: usize, rows: usize, factor: f32) {
    use std::arch::x86_64::{
        _mm_loadu_ps, _mm512_castps128_ps512, _mm512_insertf32x4, _mm512_mask_storeu_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_shuffle_ps,
        _mm512_unpackhi_ps, _mm512_unpacklo_ps,
    };
    let (factor, present) = (_mm512_set1_ps(factor), ((1_u32 << rows) - 1) as u16);
    for four in (0..LANES).step_by(4) {
        // Vector i: the four columns of rows i, 4 + i, 8 + i and 12 + i, side by side. Beyond the last row, that row is read again.
        // SAFETY: four of the sixteen numbers of a row, as the caller promises.
        let column = |row: usize| unsafe { _mm_loadu_ps(from.add(row.min(rows - 1) * step + four)) };
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| {
            let two = _mm512_insertf32x4::<1>(_mm512_castps128_ps512(column(i)), column(4 + i));
            let four = _mm512_insertf32x4::<3>(_mm512_insertf32x4::<2>(two, column(8 + i)), column(12 + i));
            if SCALED { _mm512_mul_ps(factor, four) } else { four }
        });
        let (ab, cd) = (_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d));
        let (ab_high, cd_high) = (_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d));
        let transposed = [
            _mm512_shuffle_ps::<0b01_00_01_00>(ab, cd),
            _mm512_shuffle_ps::<0b11_10_11_10>(ab, cd),
            _mm512_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high),
            _mm512_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high),
        ];
        for (l, row) in transposed.into_iter().enumerate() {
            // SAFETY: a row of writable entries, as the caller promises; the mask leaves those beyond `rows` alone.
            unsafe { _mm512_mask_storeu_ps(to.add((four + l) * stride), present, row) };
        }
    }
}

fn squares<T: Real>(out: &mut [MaybeUninit<T>], stride: usize, b: Matrix<T>, [rows, columns]: [usize; 2], factor: T) {
    let (high, wide) = (rows - rows % SQUARE, columns - columns % SQUARE);
    for j in (0..wide).step_by(SQUARE) {
        for i in (0..high).step_by(SQUARE) {
            let square: [[T; SQUARE]; SQUARE] = std::array::from_fn(|l| loaded(&b.values[(i + l) * b.rows + j..]));
            for q in 0..SQUARE {
                let column: [MaybeUninit<T>; SQUARE] = std::array::from_fn(|l| MaybeUninit::new(square[l][q] * factor));
                out[(j + q) * stride + i..][..SQUARE].copy_from_slice(&column);
            }
        }
    }
    for i in 0..rows {
        for j in if i < high { wide } else { 0 }..columns {
            out[j * stride + i].write(b.values[i * b.rows + j] * factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Real>(number: impl Fn(usize) -> T) {
        for [rows, columns] in [[1, 1], [4, 4], [18, 64], [16, 16], [33, 35], [5, 48], [40, 3]] {
            let (step, stride) = (columns + 3, rows + 2);
            let values: Vec<T> = (0..rows * step).map(&number).collect();
            let mut out = vec![MaybeUninit::new(number(99)); columns * stride];
            transpose(&mut out, stride, Matrix::dense(&values, step), [rows, columns], number(2));
            for (k, slot) in out.iter().enumerate() {
                let (j, i) = (k / stride, k % stride);
                // SAFETY: all entries were initialised before.
                let value = unsafe { slot.assume_init() };
                let expected = if i < rows { values[i * step + j] * number(2) } else { number(99) };
                assert_eq!(value.to_f64().to_bits(), expected.to_f64().to_bits(), "{rows} × {columns}: ({i}, {j})");
            }
        }
    }

    #[test]
    fn every_entry_is_in_its_place_and_nothing_else_is_touched() {
        check(|k| k as f32);
        check(|k| k as f64);
    }

    #[test]
    fn words_keep_all_their_bits() {
        for [rows, columns] in [[1, 1], [16, 16], [33, 35], [5, 48], [64, 32]] {
            let (step, stride) = (columns + 3, rows + 2);
            // Signalling NaN and numbers below the normal range among them.
            let word = |k: usize| [0x7f80_0001, 0x0000_0001, 0x8000_0000, 0x3f80_3f80][k % 4] ^ k as u32;
            let values: Vec<u32> = (0..rows * step).map(word).collect();
            let mut out = vec![MaybeUninit::new(7); columns * stride];
            transpose_words(&mut out, stride, Matrix::dense(&values, step), [rows, columns]);
            for (k, slot) in out.iter().enumerate() {
                let (j, i) = (k / stride, k % stride);
                // SAFETY: all entries were initialised before.
                let got = unsafe { slot.assume_init() };
                assert_eq!(got, if i < rows { values[i * step + j] } else { 7 }, "{rows} × {columns}: ({i}, {j})");
            }
        }
    }
}
