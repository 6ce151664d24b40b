//! A chunk of rows of a product, tile by tile, whatever instructions multiply a tile.

use super::rounding::round;
use super::{Slivers, WIDTH};
use crate::product::{Part, Start};
use std::mem::MaybeUninit;

/// One tile of the result: `out` ← start + left·right. Pointers and strides, for that is what instructions take; distances are in
/// entries.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// The rows of the left operand, pair by pair.
    pub(super) left: *const u32,
    pub(super) left_stride: usize,
    /// Columns of a sliver: rows of pairs, [`WIDTH`] apart.
    pub(super) right: *const u32,
    /// The pairs of terms.
    pub(super) pairs: usize,
    /// Rows that the sums start from; the same one for all where the stride is zero.
    pub(super) start: *const f32,
    pub(super) start_stride: usize,
    pub(super) out: *mut f32,
    pub(super) out_stride: usize,
    /// The entries of the tile: fewer than [`Tiles::HIGH`] and [`Tiles::WIDE`] at the edges of the result.
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Where later tiles read, in order: `upcoming` pairs, to be prefetched.
    pub(super) next: *const u32,
    pub(super) upcoming: usize,
}

/// Instructions that multiply pairs of bf16 and add them up in f32.
pub(super) trait Tiles {
    /// The rows of a tile. The left operand's buffer holds as many for every tile.
    const HIGH: usize;
    /// The columns of a tile; they divide [`WIDTH`].
    const WIDE: usize;
    /// Operands are padded with zeros to a multiple of this many terms.
    const TERMS: usize;

    /// Prepares this thread.
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn begin() -> Self;

    /// Multiplies one tile; writes `rows` × `columns` entries of `out` and nothing else.
    ///
    /// # Safety
    /// What the tile's fields describe can be read and written: `HIGH` rows of `pairs` pairs to the left, `pairs` rows of `WIDE` pairs to the
    /// right, `rows` rows of `columns` entries to start from and to write to.
    unsafe fn multiply(&mut self, tile: &Tile);
}

/// Rows `first..` of start + a·b.
pub(super) struct Chunk<'a> {
    pub(super) out: &'a mut [MaybeUninit<f32>],
    pub(super) stride: usize,
    pub(super) start: Start<'a, f32>,
    pub(super) a: &'a [Part<'a, f32>],
    pub(super) first: usize,
    pub(super) b: &'a Slivers,
    /// What a block of a is rounded into.
    pub(super) buffer: &'a mut Vec<u32>,
}

impl Chunk<'_> {
    /// Writes all rows that `out` has.
    ///
    /// # Safety
    /// The machine has the instructions; `out` is initialised where `start` is [`Start::Held`]; b was packed for [`Tiles::TERMS`]; the operands and
    /// the row to start from are as large as the product needs.
    pub(super) unsafe fn run<U: Tiles>(self) {
        let Self { out, stride, start, a, first, b, buffer } = self;
        let (rows, columns) = (out.len().div_ceil(stride), b.columns());
        // SAFETY: the machine has the instructions.
        let mut unit = unsafe { U::begin() };
        let (mut slivers, mut start) = (b.pairs(), start);
        for &Part { matrix, depth } in a {
            let mut term = 0;
            for depth in super::blocks(depth, U::TERMS) {
                let pairs = depth.next_multiple_of(U::TERMS) / 2;
                let high = rows.next_multiple_of(U::HIGH) * pairs;
                if buffer.len() < high {
                    buffer.resize(high, 0);
                }
                round(&mut buffer[..rows * pairs], pairs, matrix.tail([first, term]), [rows, depth]);
                let (block, rest) = slivers.split_at(pairs * columns.next_multiple_of(WIDTH));
                let left = &buffer[..high];
                let block = Block { out: &mut *out, stride, start, left, slivers: block, after: rest, pairs, columns, rows };
                // SAFETY: `left` holds whole tiles of rows, `block` all slivers; `out` is initialised from the second block on.
                unsafe { block.add(&mut unit) };
                (slivers, start, term) = (rest, Start::Held, term + depth);
            }
        }
    }
}

/// The terms of one block, for a chunk of rows of the result.
struct Block<'a> {
    out: &'a mut [MaybeUninit<f32>],
    stride: usize,
    start: Start<'a, f32>,
    left: &'a [u32],
    /// The right operand's slivers for these terms, and the slivers after them.
    slivers: &'a [u32],
    after: &'a [u32],
    pairs: usize,
    columns: usize,
    rows: usize,
}

/// A row for sums to start from.
static ZEROS: [f32; WIDTH] = [0.0; WIDTH];

impl Block<'_> {
    /// # Safety
    /// As [`Chunk::run`].
    unsafe fn add<U: Tiles>(self, unit: &mut U) {
        let Self { out, stride, start, left, slivers, after, pairs, columns, rows } = self;
        let out: *mut f32 = out.as_mut_ptr().cast();
        for (place, first) in (0..columns).step_by(WIDTH).enumerate() {
            let sliver = &slivers[place * pairs * WIDTH..];
            let next = if sliver.len() > pairs * WIDTH { &sliver[pairs * WIDTH..] } else { after };
            let ahead = next.len().min(pairs * WIDTH);
            for top in (0..rows).step_by(U::HIGH) {
                let high = U::HIGH.min(rows - top);
                let shares = [top, top + high].map(|row| ahead * row / rows);
                for column in (first..columns.min(first + WIDTH)).step_by(U::WIDE) {
                    // SAFETY: the tile lies inside the result, and the row to start from is as wide as the result.
                    let to = unsafe { out.add(top * stride + column) };
                    let (start, start_stride) = match start {
                        Start::Zero => (ZEROS.as_ptr(), 0),
                        Start::Row(row) => (row[column..].as_ptr(), 0),
                        Start::Held => (to.cast_const(), stride),
                    };
                    let tile = Tile {
                        left: left[top * pairs..].as_ptr(),
                        left_stride: pairs,
                        right: sliver.as_ptr().wrapping_add(column - first),
                        pairs,
                        start,
                        start_stride,
                        out: to,
                        out_stride: stride,
                        rows: high,
                        columns: U::WIDE.min(columns - column),
                        next: next[shares[0]..].as_ptr(),
                        upcoming: shares[1] - shares[0],
                    };
                    // SAFETY: as above; `left` holds whole tiles of rows, and a sliver as many pairs.
                    unsafe { unit.multiply(&tile) };
                }
            }
        }
    }
}
