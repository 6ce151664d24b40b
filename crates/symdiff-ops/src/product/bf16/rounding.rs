//! Rounding to bf16, and the layouts that hold two rounded terms in 32 bits.

use super::WIDTH;
#[cfg(target_arch = "x86_64")]
use super::native;
use crate::simd::{Matrix, transpose_words, uninitialised, vectorised};
use std::mem::MaybeUninit;

/// The pairs of terms that are transposed at a time, of up to [`WIDTH`] columns or rows: they stay in the L1 cache.
const SQUARE: usize = 32;

/// x rounded to the nearest bf16, ties to even, as the upper half of the bits of an f32. Infinities and NaN remain. What is below the range of
/// normal numbers becomes a zero of its sign: the instructions for bf16 read it so.
#[inline(always)]
pub(super) fn bits(x: f32) -> u32 {
    const INFINITY: u32 = f32::INFINITY.to_bits();
    const SMALLEST: u32 = f32::MIN_POSITIVE.to_bits();
    const QUIET: u32 = 1 << 22;
    let bits = x.to_bits();
    let magnitude = bits & 0x7fff_ffff;
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    let finite = if magnitude < SMALLEST { bits & 0x8000_0000 } else { nearest };
    (if magnitude > INFINITY { bits | QUIET } else { finite }) & 0xffff_0000
}

/// x rounded to the nearest bf16.
#[inline(always)]
pub(crate) fn rounded(x: f32) -> f32 {
    f32::from_bits(bits(x))
}

/// x rounded once to the nearest bf16. To f32 first it is rounded to odd: what is cut off shows in the last bit, so that the second rounding, which keeps
/// sixteen bits less, cannot take it for a tie (Boldo and Melquiond, IEEE Transactions on Computers 57, 2008).
#[inline(always)]
pub(crate) fn rounded_f64(x: f64) -> f64 {
    let nearest = x as f32;
    let away = f64::from(nearest.abs()) > x.abs();
    let inexact = f64::from(nearest).to_bits() != x.to_bits() && nearest.is_finite();
    let odd = nearest.to_bits().wrapping_sub(u32::from(away)) | 1;
    f64::from(rounded(if inexact { f32::from_bits(odd) } else { nearest }))
}

/// Two terms, the earlier one in the low half.
#[inline(always)]
fn pair(earlier: f32, later: f32) -> u32 {
    bits(later) | bits(earlier) >> 16
}

/// Writes `[depth, columns]` of a matrix as rows of [`WIDTH`] pairs: the terms 2q and 2q + 1 of a column lie in row q. What is missing in
/// the last columns and terms is zero.
pub(super) fn pack(out: &mut [MaybeUninit<u32>], from: Matrix<f32>, [depth, columns]: [usize; 2]) {
    if from.columns == 1 {
        return pack_rows(out, from, [depth, columns]);
    }
    // Its columns are contiguous: they are rounded into rows of pairs, and these are transposed.
    let by_column = Matrix { values: from.values, rows: from.columns, columns: 1 };
    let mut square = [0; WIDTH * SQUARE];
    for (block, out) in out.chunks_mut(SQUARE * WIDTH).enumerate() {
        let (first, pairs) = (2 * SQUARE * block, out.len() / WIDTH);
        let terms = (2 * pairs).min(depth.saturating_sub(first));
        round_rows(&mut square, SQUARE, by_column.tail([0, first]), [columns, terms], pairs);
        transpose_words(out, WIDTH, Matrix::dense(&square, SQUARE), [WIDTH, pairs]);
    }
}

/// Writes `[rows, depth]` of a matrix row by row as pairs of terms, `stride` pairs apart; what is missing in the last terms is zero.
pub(super) fn round(out: &mut [u32], stride: usize, from: Matrix<f32>, [rows, depth]: [usize; 2]) {
    if from.columns == 1 {
        return round_rows(out, stride, from, [rows, depth], stride);
    }
    // The rows of a term are contiguous: its pairs with the next term are transposed.
    let by_term = Matrix { values: from.values, rows: from.columns, columns: 1 };
    let mut square = [0; SQUARE * WIDTH];
    for top in (0..rows).step_by(WIDTH) {
        let high = WIDTH.min(rows - top);
        for first in (0..stride).step_by(SQUARE) {
            let pairs = SQUARE.min(stride - first);
            let terms = (2 * pairs).min(depth.saturating_sub(2 * first));
            // SAFETY: `pack_rows` leaves no entry uninitialised.
            pack_rows(unsafe { uninitialised(&mut square[..pairs * WIDTH]) }, by_term.tail([2 * first, top]), [terms, high]);
            // SAFETY: `transpose_words` leaves none uninitialised.
            let out = unsafe { uninitialised(&mut out[top * stride + first..]) };
            transpose_words(out, stride, Matrix::dense(&square, WIDTH), [pairs, high]);
        }
    }
}

/// As [`pack`], from contiguous rows.
fn pack_rows(out: &mut [MaybeUninit<u32>], from: Matrix<f32>, shape: [usize; 2]) {
    #[cfg(target_arch = "x86_64")]
    if native::is_available() {
        return native::pack_rows(out, from, shape);
    }
    pack_rows_anywhere(out, from, shape);
}

/// As [`round`], from contiguous rows: `wide` pairs of each row are written, the last of them zeros.
fn round_rows(out: &mut [u32], stride: usize, from: Matrix<f32>, shape: [usize; 2], wide: usize) {
    #[cfg(target_arch = "x86_64")]
    if native::is_available() {
        return native::round_rows(out, stride, from, shape, wide);
    }
    round_rows_anywhere(out, stride, from, shape, wide);
}

vectorised! {
    pub(super) fn pack_rows_anywhere(out: &mut [MaybeUninit<u32>], from: Matrix<f32>, shape: [usize; 2]) {
        let [depth, columns] = shape;
        let row = |term: usize| if term < depth { &from.values[term * from.rows..][..columns] } else { &[] };
        for (q, out) in out.chunks_exact_mut(WIDTH).enumerate() {
            let (out, beyond) = out.split_at_mut(columns);
            match (row(2 * q), row(2 * q + 1)) {
                ([], _) => out.fill(MaybeUninit::new(0)),
                (earlier, []) => out.iter_mut().zip(earlier).for_each(|(out, &earlier)| *out = MaybeUninit::new(pair(earlier, 0.0))),
                (earlier, later) => {
                    for ((out, &earlier), &later) in out.iter_mut().zip(earlier).zip(later) {
                        *out = MaybeUninit::new(pair(earlier, later));
                    }
                }
            }
            beyond.fill(MaybeUninit::new(0));
        }
    }

    pub(super) fn round_rows_anywhere(out: &mut [u32], stride: usize, from: Matrix<f32>, shape: [usize; 2], wide: usize) {
        let [rows, depth] = shape;
        for i in 0..rows {
            let (pairs, last) = from.values[i * from.rows..][..depth].as_chunks::<2>();
            let (out, beyond) = out[i * stride..][..wide].split_at_mut(pairs.len());
            for (out, &[earlier, later]) in out.iter_mut().zip(pairs) {
                *out = pair(earlier, later);
            }
            beyond.fill(0);
            if let ([earlier], [out, ..]) = (last, beyond) {
                *out = pair(*earlier, 0.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::bf16;

    #[test]
    fn rounds_to_nearest_even_as_the_library_does() {
        let mut patterns: Vec<u32> = (0..u32::MAX - 9973).step_by(9973).collect();
        for top in [0_u32, 0x3f80, 0x3f81, 0x7f7f, 0x7f80, 0x7fff, 0x8000, 0xbf80, 0xff7f, 0xff80, 0x0080, 0x007f] {
            patterns.extend([0, 1, 0x7fff, 0x8000, 0x8001, 0xffff].map(|low| top << 16 | low));
        }
        for pattern in patterns {
            let x = f32::from_bits(pattern);
            let (got, expected) = (rounded(x), bf16::from_f32(x).to_f32());
            if x.is_nan() {
                assert!(got.is_nan(), "{pattern:#x}");
            } else if x.is_subnormal() {
                assert_eq!(got.to_bits(), (0.0_f32).copysign(x).to_bits(), "{pattern:#x}");
            } else {
                assert_eq!(got.to_bits(), expected.to_bits(), "{pattern:#x}");
            }
        }
    }

    /// Just above a tie of bf16, by less than an f32 can say: rounded twice it would come down.
    #[test]
    fn an_f64_is_rounded_once() {
        let agree = |x: f64, expected: f64| assert_eq!(rounded_f64(x).to_bits(), expected.to_bits(), "{x:e}");
        let above = 1.0 + 2_f64.powi(-8) + 2_f64.powi(-30);
        assert_eq!(rounded(above as f32).to_bits(), 1_f32.to_bits());
        agree(above, 1.0 + 2_f64.powi(-7));
        agree(-above, -1.0 - 2_f64.powi(-7));
        let tie = 1.0 + 2_f64.powi(-8);
        for (x, expected) in [(tie, 1.0), (tie - 2_f64.powi(-50), 1.0), (tie + 2_f64.powi(-50), 1.0 + 2_f64.powi(-7))] {
            agree(x, expected);
        }
        for k in 0..200_000_u64 {
            // Magnitudes of normal f32 numbers, with all kinds of last bits.
            let bits = k.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let x = f64::from_bits(bits & 0x800f_ffff_ffff_ffff | (0x3ff - 120 + bits % 240) << 52);
            agree(x, bf16::from_f64(x).to_f64());
        }
        for (x, expected) in [(1e300, f64::INFINITY), (-1e300, f64::NEG_INFINITY), (1e-300, 0.0), (f64::from(f32::MAX), f64::INFINITY)] {
            agree(x, expected);
        }
        assert!(rounded_f64(f64::NAN).is_nan());
    }

    #[test]
    fn layouts_hold_every_term_in_its_place_and_zeros_beyond() {
        let value = |term: usize, column: usize| (1 + term * 3 + column % 50) as f32;
        let half = |x: f32| bits(x) >> 16;
        for [depth, columns, padding] in [[1, 1, 2], [6, 64, 0], [65, 40, 31], [130, 63, 2], [64, 17, 32], [0, 5, 0]] {
            let dense: Vec<f32> = (0..depth * columns).map(|at| value(at / columns, at % columns)).collect();
            let turned: Vec<f32> = (0..depth * columns).map(|at| value(at % depth.max(1), at / depth.max(1))).collect();
            let padded = depth + padding;
            let (whole, stride) = (padded / 2, padded & !1);
            for matrix in [Matrix::dense(&dense, columns), Matrix::transposed(&turned, depth)] {
                let mut out = vec![MaybeUninit::new(7); whole * WIDTH];
                pack(&mut out, matrix, [depth, columns]);
                for (at, pair) in out.into_iter().enumerate() {
                    let (q, column) = (at / WIDTH, at % WIDTH);
                    let term = |term: usize| if term < depth && column < columns { half(value(term, column)) } else { 0 };
                    // SAFETY: initialised before.
                    let got = unsafe { pair.assume_init() };
                    assert_eq!(got, term(2 * q + 1) << 16 | term(2 * q), "{depth} × {columns}: pair ({q}, {column})");
                }
            }
            // The same numbers as a left operand: rows are the columns from above.
            for matrix in [Matrix::dense(&turned, depth), Matrix::transposed(&dense, columns)] {
                let mut pairs = vec![7 << 16 | 7; columns * whole + 3];
                round(&mut pairs, whole, matrix, [columns, depth]);
                let out: Vec<u32> = pairs.iter().flat_map(|pair| [pair & 0xffff, pair >> 16]).collect();
                for (at, &got) in out.iter().enumerate() {
                    let (row, term) = at.checked_div(stride).map_or((columns, 0), |row| (row, at - row * stride));
                    let expected = match (row < columns, term < depth) {
                        (true, true) => half(value(term, row)),
                        (true, false) => 0,
                        (false, _) => 7,
                    };
                    assert_eq!(got, expected, "{columns} × {depth}: ({row}, {term})");
                }
            }
        }
    }
}
