//! The innermost loop: a tile of the result, a few rows of a sliver's width, stays in registers.

#![expect(clippy::needless_range_loop, reason = "counted loops over all sides of a tile keep it in registers")]

use super::Start;
use super::slivers::LINE;
use crate::host::Real;
use crate::simd::Matrix;
use pulp::Simd;
use std::mem::MaybeUninit;

/// Rows of a tile.
pub(super) const HIGH: usize = 6;

/// Vectors in a row of a tile: with six rows, as many sums as the machine has registers for beside the operands.
pub(super) const fn registers<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 4 } else { 2 }
}

/// The largest number of columns of a tile.
const WIDEST: usize = 64;

/// Rows of the left operand.
#[derive(Clone, Copy)]
pub(super) struct Left<'a, T> {
    pub(super) matrix: Matrix<'a, T>,
    /// Whether the terms of a row lie on cache lines of their own, in steps too long for the hardware prefetcher. The next line of each, which the
    /// next tiles read, is then prefetched.
    pub(super) scattered: bool,
    /// Where tiles are stored one after the other, term by term: the number of entries of a tile.
    pub(super) tile: Option<usize>,
}

impl<T> Left<'_, T> {
    /// The rows from this one on, the first of a tile.
    #[inline(always)]
    pub(super) fn below(self, top: usize) -> Self {
        let matrix = match self.tile {
            Some(entries) => Matrix { values: &self.matrix.values[top / HIGH * entries..], ..self.matrix },
            None => self.matrix.tail([top, 0]),
        };
        Self { matrix, ..self }
    }
}

/// Where a tile is written; its first entry is that of `out`.
pub(super) struct Place<'a, T> {
    pub(super) out: &'a mut [MaybeUninit<T>],
    pub(super) stride: usize,
    /// Its columns: fewer than the sliver's at the right edge.
    pub(super) wide: usize,
}

/// H rows of a times a sliver, of V vectors per row. `upcoming` is read by later tiles; it is prefetched, spread over the terms.
///
/// # Safety
/// `place` is initialised where `start` is [`Start::Held`].
#[inline(always)]
pub(super) unsafe fn tile<S: Simd, T: Real, const V: usize, const H: usize>(
    simd: S,
    place: Place<T>,
    start: Start<T>,
    Left { matrix: a, scattered, .. }: Left<T>,
    sliver: &[[T::Vector<S>; V]],
    upcoming: &[T],
) {
    assert!(a.holds([H, sliver.len()]), "the left operand reaches as far as the sliver");
    let line = LINE / size_of::<T>();
    for i in 0..H {
        for entry in place.out[i * place.stride..][..place.wide].iter().step_by(line) {
            prefetch::<_, true>(entry);
        }
    }
    let mut lines = upcoming.iter().step_by(line);
    let every = if upcoming.is_empty() { usize::MAX } else { (sliver.len() / lines.len()).max(1) };
    let mut next = 0;
    // SAFETY: promised by the caller.
    let mut sums: [[T::Vector<S>; V]; H] = unsafe { initial(simd, &place, start) };
    for (p, row) in sliver.iter().enumerate() {
        if p == next
            && let Some(entry) = lines.next()
        {
            prefetch::<_, false>(entry);
            next += every;
        }
        if scattered {
            prefetch::<_, true>(a.values.as_ptr().wrapping_add(p * a.columns + line));
        }
        let row = *row;
        for i in 0..H {
            // SAFETY: the assertion above: `a` holds entry (i, p).
            let factor = T::splat(simd, unsafe { *a.values.get_unchecked(i * a.rows + p * a.columns) });
            for v in 0..V {
                sums[i][v] = T::fused(simd, factor, row[v], sums[i][v]);
            }
        }
    }
    // SAFETY: promised by the caller.
    unsafe { put::<S, T, V, H>(sums, place, start) };
}

/// What the sums of a tile start from. A tile at the right edge, narrower than its sliver, starts from zeros; [`put`] adds the start.
///
/// # Safety
/// As [`tile`].
#[inline(always)]
unsafe fn initial<S: Simd, T: Real, const V: usize, const H: usize>(simd: S, place: &Place<T>, start: Start<T>) -> [[T::Vector<S>; V]; H] {
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
                    // SAFETY: the vector's entries are in the row, and initialised, as the caller promises.
                    sums[i][v] = unsafe { row.add(v).read_unaligned() };
                }
            }
        }
        _ => {}
    }
    sums
}

/// Writes the sums. A tile at the right edge is written entry by entry, after its start has been added.
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

/// The lanes of a vector.
const fn lanes<S: Simd, T: Real>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

/// Writes one row of a tile at the right edge: start + sums.
///
/// # Safety
/// `out` is initialised where `start` is [`Start::Held`].
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

/// Prefetches the cache line of an entry into the L1 cache, or, unless `NEAR`, into the L2 cache.
#[inline(always)]
pub(super) fn prefetch<T, const NEAR: bool>(entry: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};
        // SAFETY: a prefetch is a hint, valid for any address.
        unsafe { if NEAR { _mm_prefetch::<_MM_HINT_T0>(entry.cast()) } else { _mm_prefetch::<_MM_HINT_T1>(entry.cast()) } };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = entry;
}
