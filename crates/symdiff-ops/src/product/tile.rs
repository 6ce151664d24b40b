//! The innermost loop: a few rows of the result, as wide as a sliver, in registers.

#![expect(clippy::needless_range_loop, reason = "counted loops over all sides of a tile keep it in registers")]

use super::Start;
use super::packed::LINE;
use crate::host::Real;
use crate::simd::Matrix;
use pulp::Simd;
use std::mem::MaybeUninit;

/// Rows of a tile.
pub(super) const HIGH: usize = 6;

/// Vectors to a row of a tile: with six rows, as many sums as the registers of a machine hold beside the operands.
pub(super) const fn registers<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 4 } else { 2 }
}

/// The largest number of columns of a tile.
const WIDEST: usize = 64;

/// Rows of the left operand.
#[derive(Clone, Copy)]
pub(super) struct Left<'a, T> {
    pub(super) matrix: Matrix<'a, T>,
    /// Whether each term lies on a line of its own, not to be foreseen by the machine: the line beside it, of the next tiles, is asked for.
    pub(super) scattered: bool,
    /// Where the rows of a tile lie together, term by term, and tiles one after the other: the entries of a tile.
    pub(super) tile: Option<usize>,
}

impl<T> Left<'_, T> {
    /// From this row on, the first of a tile.
    #[inline(always)]
    pub(super) fn below(self, top: usize) -> Self {
        let matrix = match self.tile {
            Some(entries) => Matrix { values: &self.matrix.values[top / HIGH * entries..], ..self.matrix },
            None => self.matrix.tail([top, 0]),
        };
        Self { matrix, ..self }
    }
}

/// Where a tile goes: its first entry is that of `out`.
pub(super) struct Place<'a, T> {
    pub(super) out: &'a mut [MaybeUninit<T>],
    pub(super) stride: usize,
    /// Its columns: fewer than the sliver's at the right edge.
    pub(super) wide: usize,
}

/// H rows of a times a sliver, of V vectors a row. `ahead` is what will be read soon; it is asked for bit by bit.
///
/// # Safety
/// `place` holds numbers where `start` is [`Start::Held`].
#[inline(always)]
pub(super) unsafe fn tile<S: Simd, T: Real, const V: usize, const H: usize>(
    simd: S,
    place: Place<T>,
    start: Start<T>,
    Left { matrix: a, scattered, .. }: Left<T>,
    sliver: &[[T::Vector<S>; V]],
    ahead: &[T],
) {
    assert!(a.holds([H, sliver.len()]), "the left operand reaches as far as the sliver");
    let line = LINE / size_of::<T>();
    for i in 0..H {
        for entry in place.out[i * place.stride..][..place.wide].iter().step_by(line) {
            fetch::<_, true>(entry);
        }
    }
    let mut lines = ahead.iter().step_by(line);
    let every = if ahead.is_empty() { usize::MAX } else { (sliver.len() / lines.len()).max(1) };
    let mut next = 0;
    // SAFETY: promised by the caller.
    let mut sums: [[T::Vector<S>; V]; H] = unsafe { begun(simd, &place, start) };
    for (p, row) in sliver.iter().enumerate() {
        if p == next
            && let Some(entry) = lines.next()
        {
            fetch::<_, false>(entry);
            next += every;
        }
        if scattered {
            fetch::<_, true>(a.values.as_ptr().wrapping_add(p * a.columns + line));
        }
        let row = *row;
        for i in 0..H {
            // SAFETY: entry (i, p) is one of those that `a` was just found to hold.
            let factor = T::splat(simd, unsafe { *a.values.get_unchecked(i * a.rows + p * a.columns) });
            for v in 0..V {
                sums[i][v] = T::fused(simd, factor, row[v], sums[i][v]);
            }
        }
    }
    // SAFETY: promised by the caller.
    unsafe { put::<S, T, V, H>(sums, place, start) };
}

/// What the sums of a tile as wide as the sliver begin with; zeros for a narrower one.
///
/// # Safety
/// As [`tile`].
#[inline(always)]
unsafe fn begun<S: Simd, T: Real, const V: usize, const H: usize>(simd: S, place: &Place<T>, start: Start<T>) -> [[T::Vector<S>; V]; H] {
    let mut sums = [[T::splat(simd, T::default()); V]; H];
    let whole = place.wide == V * lanes::<S, T>();
    match start {
        Start::Row(row) if whole => {
            let row: [T::Vector<S>; V] = std::array::from_fn(|v| T::vectors::<S>(&row[..place.wide])[v]);
            for i in 0..H {
                sums[i] = row;
            }
        }
        Start::Held if whole => {
            for i in 0..H {
                let row = place.out[i * place.stride..][..place.wide].as_ptr().cast::<T::Vector<S>>();
                for v in 0..V {
                    // SAFETY: the vector's entries are in the row, and numbers, as the caller promises.
                    sums[i][v] = unsafe { row.add(v).read_unaligned() };
                }
            }
        }
        _ => {}
    }
    sums
}

/// Writes the sums; to a place narrower than the sliver entry by entry, with what they have not begun with.
///
/// # Safety
/// As [`tile`].
#[inline(always)]
unsafe fn put<S: Simd, T: Real, const V: usize, const H: usize>(sums: [[T::Vector<S>; V]; H], place: Place<T>, start: Start<T>) {
    let Place { out, stride, wide } = place;
    if wide == V * lanes::<S, T>() {
        for i in 0..H {
            let row = out[i * stride..][..wide].as_mut_ptr().cast::<T::Vector<S>>();
            for v in 0..V {
                // SAFETY: the vector's entries are in the row.
                unsafe { row.add(v).write_unaligned(sums[i][v]) };
            }
        }
        return;
    }
    let mut rows = [[T::default(); WIDEST]; H];
    for i in 0..H {
        for v in 0..V {
            T::vectors_mut::<S>(&mut rows[i])[v] = sums[i][v];
        }
    }
    for (i, row) in rows.iter().enumerate() {
        // SAFETY: promised by the caller.
        unsafe { narrow(row, &mut out[i * stride..][..wide], start) };
    }
}

/// The numbers in a vector.
const fn lanes<S: Simd, T: Real>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

/// One row of a tile at the right edge, entry by entry.
///
/// # Safety
/// `out` holds numbers where `start` is [`Start::Held`].
unsafe fn narrow<T: Real>(sums: &[T], out: &mut [MaybeUninit<T>], start: Start<T>) {
    for (l, (slot, &sum)) in out.iter_mut().zip(sums).enumerate() {
        slot.write(match start {
            Start::Zero => sum,
            Start::Row(row) => row[l] + sum,
            // SAFETY: promised by the caller.
            Start::Held => (unsafe { slot.assume_init() }) + sum,
        });
    }
}

/// Asks for the cache line of an entry: into the first cache, or, unless `NEAR`, into the second.
#[inline(always)]
fn fetch<T, const NEAR: bool>(entry: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint, which reads nothing, for an address of any kind.
        unsafe { if NEAR { _mm_prefetch::<_MM_HINT_T0>(entry.cast()) } else { _mm_prefetch::<_MM_HINT_T1>(entry.cast()) } };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = entry;
}
