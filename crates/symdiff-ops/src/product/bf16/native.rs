//! Rounding by the instructions of AVX512-BF16, thirty-two numbers at a time: the bits are those of [`bits`](super::rounding::bits).

use super::WIDTH;
use crate::simd::Matrix;
use std::arch::x86_64::{
    __m512, __m512i, _mm512_cvtne2ps_pbh, _mm512_loadu_ps, _mm512_mask_storeu_epi16, _mm512_maskz_loadu_ps, _mm512_permutexvar_epi16,
    _mm512_setzero_ps, _mm512_storeu_si512,
};
use std::mem::{MaybeUninit, transmute};

/// The lanes of a vector of f32.
const LANES: usize = 16;

/// What brings the halves of a vector of bf16 together: entry i of the first beside entry i of the second.
const INTERLEAVED: [u16; 2 * LANES] = {
    let mut places = [0; 2 * LANES];
    let mut i = 0;
    while i < LANES {
        (places[2 * i], places[2 * i + 1]) = (i as u16, (LANES + i) as u16);
        i += 1;
    }
    places
};

/// True where the machine has the instructions.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512f")
}

/// As `pack_rows` of [`rounding`](super::rounding), where [`is_available`].
pub(super) fn pack_rows(out: &mut [MaybeUninit<u32>], from: Matrix<f32>, [depth, columns]: [usize; 2]) {
    assert!(is_available() && from.columns == 1 && columns <= WIDTH && from.holds([depth, columns]), "rows as wide as a sliver at most");
    // SAFETY: the machine has the instructions; the matrix holds what is read.
    unsafe { packed(out, from, [depth, columns]) };
}

/// As `round_rows` of [`rounding`](super::rounding), where [`is_available`].
pub(super) fn round_rows(out: &mut [u32], stride: usize, from: Matrix<f32>, [rows, depth]: [usize; 2], wide: usize) {
    assert!(is_available() && from.columns == 1 && from.holds([rows, depth]), "contiguous rows");
    assert!(depth <= 2 * wide && (rows == 0 || (rows - 1) * stride + wide <= out.len()), "the pairs fit");
    // SAFETY: the machine has the instructions; the matrix holds what is read, and `out` what is written.
    unsafe { rounded(out, stride, from, [rows, depth], wide) };
}

/// # Safety
/// The machine has the instructions; the matrix holds `[depth, columns]`, the entries of a row one after the other.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn packed(out: &mut [MaybeUninit<u32>], from: Matrix<f32>, [depth, columns]: [usize; 2]) {
    // SAFETY: 512 bits either way.
    let interleaved = unsafe { transmute::<[u16; 2 * LANES], __m512i>(INTERLEAVED) };
    let masks: [u16; WIDTH / LANES] = std::array::from_fn(|v| first(columns.saturating_sub(v * LANES)) as u16);
    for (q, out) in out.as_chunks_mut::<WIDTH>().0.iter_mut().enumerate() {
        for (v, out) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let row = |term: usize| {
                if term < depth {
                    // SAFETY: the mask leaves out what lies beyond the columns of a row that exists.
                    unsafe { _mm512_maskz_loadu_ps(masks[v], from.values.as_ptr().wrapping_add(term * from.rows + v * LANES)) }
                } else {
                    _mm512_setzero_ps()
                }
            };
            let pairs = _mm512_permutexvar_epi16(interleaved, both(row(2 * q), row(2 * q + 1)));
            // SAFETY: sixteen pairs.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), pairs) };
        }
    }
}

/// # Safety
/// The machine has the instructions; the matrix holds `[rows, depth]`, the entries of a row one after the other, and `out` rows of `wide` pairs, `stride` apart.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn rounded(out: &mut [u32], stride: usize, from: Matrix<f32>, [rows, depth]: [usize; 2], wide: usize) {
    for i in 0..rows {
        let (from, to) = (from.values.as_ptr().wrapping_add(i * from.rows), out.as_mut_ptr().wrapping_add(i * stride));
        // Whole vectors without a mask: a masked store of halves of words takes AMD's processors far longer.
        let whole = depth.min(2 * wide) / (2 * LANES) * (2 * LANES);
        for term in (0..whole).step_by(2 * LANES) {
            // SAFETY: thirty-two terms, and as many halves of pairs.
            unsafe {
                let [earlier, later] = [term, term + LANES].map(|term| _mm512_loadu_ps(from.wrapping_add(term)));
                _mm512_storeu_si512(to.cast::<u16>().wrapping_add(term).cast(), both(earlier, later));
            }
        }
        for term in (whole..2 * wide).step_by(2 * LANES) {
            // SAFETY: the mask leaves out what lies beyond the terms.
            let [earlier, later] = [term, term + LANES]
                .map(|term| unsafe { _mm512_maskz_loadu_ps(first(depth.saturating_sub(term)) as u16, from.wrapping_add(term)) });
            // SAFETY: the mask leaves alone what lies beyond the pairs.
            unsafe { _mm512_mask_storeu_epi16(to.cast::<i16>().wrapping_add(term), first(2 * wide - term), both(earlier, later)) };
        }
    }
}

/// The first `count` lanes, of thirty-two at most.
#[inline(always)]
fn first(count: usize) -> u32 {
    (1_u64 << count.min(2 * LANES)).wrapping_sub(1) as u32
}

/// Two vectors rounded to bf16, one after the other.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn both(earlier: __m512, later: __m512) -> __m512i {
    // SAFETY: 512 bits either way.
    unsafe { transmute(_mm512_cvtne2ps_pbh(later, earlier)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::bf16::rounding::{bits, pack_rows_anywhere, round_rows_anywhere};

    #[test]
    fn the_instructions_round_as_the_definition() {
        if !is_available() {
            eprintln!("skipped: no AVX512-BF16 here");
            return;
        }
        let mut values: Vec<f32> = (0..u32::MAX - 65_537).step_by(65_537).map(f32::from_bits).collect();
        for top in [0_u32, 0x0040, 0x007f, 0x0080, 0x3f80, 0x3f81, 0x7f7f, 0x7f80, 0x7fff, 0x8000, 0x807f, 0xbf80, 0xff7f, 0xff80] {
            values.extend([0, 1, 0x7fff, 0x8000, 0x8001, 0xffff].map(|low| f32::from_bits(top << 16 | low)));
        }
        let mut pairs = vec![7; values.len().div_ceil(2)];
        let wide = pairs.len();
        round_rows(&mut pairs, wide, Matrix::dense(&values, values.len()), [1, values.len()], wide);
        let halves = pairs.iter().flat_map(|pair| [pair & 0xffff, pair >> 16]);
        for (&value, got) in values.iter().zip(halves) {
            assert_eq!(got, bits(value) >> 16, "{:#x}", value.to_bits());
        }
    }

    #[test]
    fn both_ways_write_the_same_bits() {
        if !is_available() {
            eprintln!("skipped: no AVX512-BF16 here");
            return;
        }
        for [rows, columns, step] in [[1, 1, 1], [7, 64, 70], [64, 33, 64], [5, 17, 20], [6, 48, 48], [2, 0, 3]] {
            let values: Vec<f32> = (0..rows * step).map(|k| (k as f32 + 0.37).sin() * 1e3).collect();
            let from = Matrix::dense(&values, step);
            let pairs = rows.div_ceil(2) + 3;
            let mut packed = [vec![MaybeUninit::new(7); pairs * WIDTH], vec![MaybeUninit::new(7); pairs * WIDTH]];
            pack_rows(&mut packed[0], from, [rows, columns]);
            pack_rows_anywhere(&mut packed[1], from, [rows, columns]);
            // SAFETY: all entries were initialised before.
            let packed = packed.map(|values| values.into_iter().map(|value| unsafe { value.assume_init() }).collect::<Vec<_>>());
            assert_eq!(packed[0], packed[1], "{rows} × {columns}");
            let wide = columns.div_ceil(2) + 2;
            let mut rounded = [vec![7; rows * (wide + 5)], vec![7; rows * (wide + 5)]];
            round_rows(&mut rounded[0], wide + 5, from, [rows, columns], wide);
            round_rows_anywhere(&mut rounded[1], wide + 5, from, [rows, columns], wide);
            assert_eq!(rounded[0], rounded[1], "{rows} × {columns}");
        }
    }
}
