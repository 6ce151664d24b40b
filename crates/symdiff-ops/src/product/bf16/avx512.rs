//! Tiles by the instruction of AVX512-BF16, which adds the products of two pairs to each lane.
#![expect(clippy::needless_range_loop, reason = "counted loops over all sides of a tile keep it in registers")]

use super::WIDTH;
use super::tiles::{Tile, Tiles};
use crate::product::tile::prefetch;
use std::arch::x86_64::{
    __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_loadu_si512, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_set1_epi32,
    _mm512_setzero_ps, _mm512_setzero_si512,
};
use std::mem::transmute;

/// Vectors in a row of a tile.
const VECTORS: usize = WIDTH / LANES;

/// The lanes of a vector.
const LANES: usize = 16;

/// The pairs in a cache line.
const LINE: usize = 16;

/// The instructions of AVX512-BF16.
pub(super) struct Avx512;

impl Avx512 {
    /// True where the machine has them.
    pub(super) fn is_available() -> bool {
        is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512f")
    }
}

impl Tiles for Avx512 {
    // 24 of 32 registers hold sums; four hold a row to the right, one an entry to the left.
    const HIGH: usize = 6;
    const WIDE: usize = WIDTH;
    const TERMS: usize = 2;

    unsafe fn begin() -> Self {
        Self
    }

    #[inline(always)]
    unsafe fn multiply(&mut self, tile: &Tile) {
        // SAFETY: promised by the caller.
        unsafe {
            match tile.rows {
                1 => rows::<1>(tile),
                2 => rows::<2>(tile),
                3 => rows::<3>(tile),
                4 => rows::<4>(tile),
                5 => rows::<5>(tile),
                _ => rows::<{ Avx512::HIGH }>(tile),
            }
        }
    }
}

/// A tile of H rows.
///
/// # Safety
/// As [`Tiles::multiply`], and the machine has AVX512-BF16.
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn rows<const H: usize>(tile: &Tile) {
    let Tile { left, left_stride, right, pairs, start, start_stride, out, out_stride, columns, next, upcoming, .. } = *tile;
    let masks: [u16; VECTORS] = std::array::from_fn(|v| ((1_u32 << columns.saturating_sub(v * LANES).min(LANES)) - 1) as u16);
    let mut sums = [[_mm512_setzero_ps(); VECTORS]; H];
    for i in 0..H {
        for v in 0..VECTORS {
            // SAFETY: the mask leaves out what lies beyond the tile's columns.
            sums[i][v] = unsafe { _mm512_maskz_loadu_ps(masks[v], start.wrapping_add(i * start_stride + v * LANES)) };
        }
    }
    let every = (pairs * LINE).checked_div(upcoming).unwrap_or(usize::MAX).max(1);
    let (mut fetched, mut fetch) = (0, 0);
    for p in 0..pairs {
        if p == fetch && fetched < upcoming {
            prefetch::<_, false>(next.wrapping_add(fetched));
            (fetched, fetch) = (fetched + LINE, fetch + every);
        }
        let mut row = [_mm512_setzero_si512(); VECTORS];
        for v in 0..VECTORS {
            // SAFETY: a sliver's row holds WIDTH pairs.
            row[v] = unsafe { _mm512_loadu_si512(right.add(p * WIDTH + v * LANES).cast()) };
        }
        for i in 0..H {
            // SAFETY: pair p of row i of the left operand.
            let factor = _mm512_set1_epi32(unsafe { *left.add(i * left_stride + p) } as i32);
            for v in 0..VECTORS {
                sums[i][v] = _mm512_dpbf16_ps(sums[i][v], pairs_of(factor), pairs_of(row[v]));
            }
        }
    }
    for i in 0..H {
        for v in 0..VECTORS {
            // SAFETY: the mask leaves alone what lies beyond the tile's columns.
            unsafe { _mm512_mask_storeu_ps(out.wrapping_add(i * out_stride + v * LANES), masks[v], sums[i][v]) };
        }
    }
}

/// The same bits as pairs of bf16.
#[inline(always)]
fn pairs_of(vector: __m512i) -> __m512bh {
    // SAFETY: both are 512 bits, all patterns of which are numbers.
    unsafe { transmute::<__m512i, __m512bh>(vector) }
}
