//! A chunk of rows of the result: block after block of terms, sliver after sliver, tile after tile.

use super::slivers::Slivers;
use super::tile::{HIGH, Left, Place, registers, tile};
use super::{Part, Start, blocks};
use crate::host::Real;
use crate::simd::Matrix;
use pulp::{Simd, WithSimd};
use std::mem::MaybeUninit;

/// A left operand whose rows are not contiguous is copied where at least so many slivers read the copy.
const READERS: usize = 5;

/// Rows `first..` of start + a·b, as many as `out` has; it is initialised where `start` is [`Start::Held`].
pub(super) struct Rows<'a, T> {
    pub(super) out: &'a mut [MaybeUninit<T>],
    pub(super) stride: usize,
    pub(super) start: Start<'a, T>,
    pub(super) a: &'a [Part<'a, T>],
    pub(super) first: usize,
    pub(super) b: &'a Slivers<T>,
    /// What a block of a is copied to.
    pub(super) buffer: &'a mut Vec<T>,
}

impl<T: Real> WithSimd for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match registers::<S>() {
            4 => self.run::<S, 4>(simd),
            _ => self.run::<S, 2>(simd),
        }
    }
}

impl<T: Real> Rows<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        let Self { out, stride, start, a, first, b, buffer } = self;
        let (m, slivers) = (out.len().div_ceil(stride), b.columns().div_ceil(b.width()));
        let (mut rest, mut start) = (b.slivers(), start);
        for &Part { matrix, depth } in a {
            let mut term = 0;
            for depth in blocks(depth) {
                let matrix = matrix.tail([first, term]);
                let left = if matrix.columns != 1 && slivers >= READERS {
                    copied(matrix, [m, depth], buffer)
                } else {
                    Left { matrix, scattered: matrix.columns != 1, tile: None }
                };
                let (slivers_here, after) = rest.split_at(slivers * depth * b.width());
                let block =
                    Block { out: &mut *out, stride, start, left, slivers: slivers_here, after, columns: b.columns(), width: b.width() };
                // SAFETY: `out` is initialised where the caller's `start` says so, and after the first block, which writes all of it.
                unsafe { block.add::<S, V>(simd) };
                (rest, start) = (after, Start::Held);
                term += depth;
            }
        }
    }
}

/// The terms of one block, for a chunk of rows of the result.
struct Block<'a, T> {
    out: &'a mut [MaybeUninit<T>],
    stride: usize,
    start: Start<'a, T>,
    left: Left<'a, T>,
    /// The right operand's slivers for these terms, and the slivers after them.
    slivers: &'a [T],
    after: &'a [T],
    columns: usize,
    width: usize,
}

impl<T: Real> Block<'_, T> {
    /// Adds the block's terms to what the rows start from.
    ///
    /// # Safety
    /// `out` is initialised where `start` is [`Start::Held`].
    #[inline(always)]
    unsafe fn add<S: Simd, const V: usize>(self, simd: S) {
        let Self { out, stride, start, left, slivers, after, columns, width } = self;
        let (m, size) = (out.len().div_ceil(stride), slivers.len() / columns.div_ceil(width));
        for (place, first) in (0..columns).step_by(width).enumerate() {
            let (sliver, rest) = slivers[place * size..].split_at(size);
            let next = if rest.is_empty() { &after[..after.len().min(size)] } else { &rest[..size] };
            let sliver = T::vectors::<S>(sliver).as_chunks::<V>().0;
            let start = if let Start::Row(row) = start { Start::Row(&row[first..]) } else { start };
            let wide = width.min(columns - first);
            for top in (0..m).step_by(HIGH) {
                let upcoming = &next[next.len() * top / m..next.len() * (top + HIGH).min(m) / m];
                let left = left.below(top);
                let place = Place { out: &mut out[top * stride + first..], stride, wide };
                // SAFETY: promised by the caller.
                unsafe {
                    match m - top {
                        1 => tile::<S, T, V, 1>(simd, place, start, left, sliver, upcoming),
                        2 => tile::<S, T, V, 2>(simd, place, start, left, sliver, upcoming),
                        3 => tile::<S, T, V, 3>(simd, place, start, left, sliver, upcoming),
                        4 => tile::<S, T, V, 4>(simd, place, start, left, sliver, upcoming),
                        5 => tile::<S, T, V, 5>(simd, place, start, left, sliver, upcoming),
                        _ => tile::<S, T, V, HIGH>(simd, place, start, left, sliver, upcoming),
                    }
                }
            }
        }
    }
}

/// A copy of the first rows and terms of a matrix with contiguous columns, in the order in which tiles read them: tile by tile, term by term.
#[inline(always)]
fn copied<'a, T: Real>(a: Matrix<T>, [rows, depth]: [usize; 2], buffer: &'a mut Vec<T>) -> Left<'a, T> {
    let tile = depth * HIGH;
    let whole = rows.div_ceil(HIGH) * tile;
    if buffer.len() < whole {
        buffer.resize(whole, T::default());
    }
    let to = buffer.as_chunks_mut::<HIGH>().0;
    for p in 0..depth {
        let (tiles, rest) = a.values[p * a.columns..][..rows].as_chunks::<HIGH>();
        for (to, tile) in to[p..].iter_mut().step_by(depth).zip(tiles) {
            *to = *tile;
        }
        if !rest.is_empty() {
            to[tiles.len() * depth + p][..rest.len()].copy_from_slice(rest);
        }
    }
    Left { matrix: Matrix { values: buffer, rows: 1, columns: HIGH }, scattered: false, tile: Some(tile) }
}
