//! Products of operands rounded to bf16, by instructions that multiply pairs of terms and sum in f32.
//!
//! The blocking is that of the [products](super) in full precision. The right operand is packed into slivers of 64 columns whose rows hold two
//! terms each, the earlier one in the low half of 32 bits; the left operand is rounded chunk by chunk into rows of such pairs. Both kinds of
//! instructions read these layouts: [`Avx512`] a pair of the left operand against sixteen columns, [`Amx`] sixteen rows against sixteen columns.
//!
//! Operands are rounded to the nearest bf16, ties to even. Numbers below the normal range, in operands, sums and results, count as zero.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod native;
pub(super) mod rounding;
mod tiles;

#[cfg(target_arch = "x86_64")]
use {amx::Amx, avx512::Avx512};

use super::slivers::aligned;
use super::{Part, Start, blocks_of};
use std::mem::MaybeUninit;
use tiles::{Chunk, Tiles};

/// The columns of a sliver.
const WIDTH: usize = 64;

/// Sums are taken over at most this many terms at a time: as many bytes as in full precision.
const DEPTH: usize = 1024;

/// The numbers of terms that are summed at a time, about equal, all but the last multiples of `terms`.
fn blocks(depth: usize, terms: usize) -> impl Iterator<Item = usize> {
    blocks_of(depth, terms, DEPTH)
}

/// What multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// Tiles of AMX.
    #[cfg(target_arch = "x86_64")]
    Amx,
    /// AVX512-BF16.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AMX by its definition.
    #[cfg(all(test, target_arch = "x86_64"))]
    Emulated,
}

impl Level {
    /// The fastest one of this machine; none where it has no instructions for bf16.
    pub(super) fn here() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if Amx::is_available() {
            return Some(Self::Amx);
        } else if Avx512::is_available() {
            return Some(Self::Avx512);
        }
        None
    }

    /// Operands are padded to a multiple of this many terms.
    fn terms(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Amx => Amx::TERMS,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::TERMS,
            #[cfg(all(test, target_arch = "x86_64"))]
            Self::Emulated => amx::emulated::Emulated::TERMS,
        }
    }
}

/// A right operand `[k, n]` as pairs in slivers: for each part of its rows, for each [block](blocks) of these, and for each 64 columns.
#[derive(Debug)]
pub(crate) struct Slivers {
    values: Vec<u32>,
    /// The first value that starts a cache line.
    offset: usize,
    level: Level,
    parts: Vec<usize>,
    columns: usize,
}

impl Slivers {
    /// Packs the rows of all parts, one below the other, for the instructions of a level that this machine has.
    pub(super) fn new(level: Level, parts: &[Part<f32>], columns: usize) -> Self {
        let (terms, wide) = (level.terms(), columns.next_multiple_of(WIDTH));
        let depths: Vec<usize> = parts.iter().map(|part| part.depth).collect();
        let whole = depths.iter().flat_map(|&depth| blocks(depth, terms)).map(|depth| depth.next_multiple_of(terms) / 2 * wide).sum();
        let (mut values, offset) = aligned::<u32>(whole);
        for &Part { matrix, depth } in parts {
            let mut top = 0;
            for depth in blocks(depth, terms) {
                let size = depth.next_multiple_of(terms) / 2 * WIDTH;
                for left in (0..columns).step_by(WIDTH) {
                    let to = &mut values.spare_capacity_mut()[..size];
                    rounding::pack(to, matrix.tail([top, left]), [depth, WIDTH.min(columns - left)]);
                    // SAFETY: all of `to`, the entries that follow the values so far, has been written.
                    unsafe { values.set_len(values.len() + size) };
                }
                top += depth;
            }
        }
        Self { values, offset, level, parts: depths, columns }
    }

    /// n.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The rows of each part.
    pub(super) fn parts(&self) -> &[usize] {
        &self.parts
    }

    /// The slivers, one after the other.
    fn pairs(&self) -> &[u32] {
        &self.values[self.offset..]
    }

    /// Writes rows `first..` of start + a·self, as many as `out` has.
    ///
    /// # Safety
    /// `out` is initialised where `start` is [`Start::Held`]. The operands and the row to start from are as large as the product needs.
    pub(super) unsafe fn multiply(
        &self,
        out: &mut [MaybeUninit<f32>],
        stride: usize,
        start: Start<f32>,
        a: &[Part<f32>],
        first: usize,
        buffer: &mut Vec<u32>,
    ) {
        let chunk = Chunk { out, stride, start, a, first, b: self, buffer };
        // SAFETY: slivers are packed for levels of this machine only; the rest is promised by the caller.
        unsafe {
            match self.level {
                #[cfg(target_arch = "x86_64")]
                Level::Amx => chunk.run::<Amx>(),
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => chunk.run::<Avx512>(),
                #[cfg(all(test, target_arch = "x86_64"))]
                Level::Emulated => chunk.run::<amx::emulated::Emulated>(),
            }
        }
    }
}
