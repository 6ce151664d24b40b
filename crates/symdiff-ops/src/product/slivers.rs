//! The right operand of products in full precision, packed in the order in which tiles read it.

use super::tile::registers;
use super::{Part, blocks};
use crate::host::Real;
use crate::simd::{Lanes, Matrix, transpose};
use pulp::{Arch, Simd, WithSimd};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// The bytes of a cache line; slivers start on one.
pub(super) const LINE: usize = 64;

/// A matrix `[k, n]` in slivers: for each part of its rows, for each [block](blocks) of these, and for each group of as many columns as a tile
/// has, the rows one after the other. The last group is filled up with zeros.
#[derive(Debug)]
pub(crate) struct Slivers<T> {
    values: Vec<T>,
    /// The first value that starts a cache line.
    offset: usize,
    width: usize,
    /// The rows of each part.
    parts: Vec<usize>,
    columns: usize,
}

impl<T: Real> Slivers<T> {
    /// Packs the rows of all parts, one below the other.
    pub(super) fn new(parts: &[Part<T>], columns: usize) -> Self {
        Self::of_width(Arch::new().dispatch(Width(PhantomData::<T>)), parts, columns)
    }

    /// The same in slivers of this many columns.
    pub(super) fn of_width(width: usize, parts: &[Part<T>], columns: usize) -> Self {
        let depths: Vec<usize> = parts.iter().map(|part| part.depth).collect();
        let (mut values, offset) = aligned::<T>(columns.next_multiple_of(width) * depths.iter().sum::<usize>());
        for &Part { matrix, depth } in parts {
            let mut top = 0;
            for depth in blocks(depth) {
                for left in (0..columns).step_by(width) {
                    let to = &mut values.spare_capacity_mut()[..depth * width];
                    Arch::new().dispatch(Sliver { to, from: matrix.tail([top, left]), width, wide: width.min(columns - left) });
                    // SAFETY: all of `to`, the entries that follow the values so far, has been written.
                    unsafe { values.set_len(values.len() + depth * width) };
                }
                top += depth;
            }
        }
        Self { values, offset, width, parts: depths, columns }
    }

    /// n.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The rows of each part.
    pub(super) fn parts(&self) -> &[usize] {
        &self.parts
    }

    /// The columns of a sliver.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The slivers, one after the other.
    pub(super) fn slivers(&self) -> &[T] {
        &self.values[self.offset..]
    }
}

/// Memory for so many values, the first of which starts a cache line; it comes after as many zeros as returned.
pub(super) fn aligned<T: Copy + Default>(count: usize) -> (Vec<T>, usize) {
    let line = LINE / size_of::<T>();
    let mut values: Vec<T> = Vec::with_capacity(count + line);
    let offset = values.as_ptr().align_offset(LINE).min(line);
    values.resize(offset, T::default());
    (values, offset)
}

/// The number of columns of a sliver on this machine.
pub(super) struct Width<T>(pub(super) PhantomData<T>);

impl<T: Lanes> WithSimd for Width<T> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        registers::<S>() * size_of::<T::Vector<S>>() / size_of::<T>()
    }
}

/// Copies `wide` columns of a matrix into rows of `width`, the rest of which are zeros.
struct Sliver<'a, T> {
    to: &'a mut [MaybeUninit<T>],
    from: Matrix<'a, T>,
    width: usize,
    wide: usize,
}

impl<T: Real> WithSimd for Sliver<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { to, from, width, wide } = self;
        if wide < width {
            to.fill(MaybeUninit::new(T::default()));
        }
        if from.columns == 1 {
            for (p, row) in to.chunks_exact_mut(width).enumerate() {
                let values = &from.values[p * from.rows..][..wide];
                // Whole vectors by value: for so few of them a call of `memcpy` is slower.
                let (vectors, rest) = values.as_chunks::<16>();
                let (to, to_rest) = row[..wide].as_chunks_mut::<16>();
                to.iter_mut().zip(vectors).for_each(|(to, vector)| *to = vector.map(MaybeUninit::new));
                to_rest.iter_mut().zip(rest).for_each(|(to, &value)| *to = MaybeUninit::new(value));
            }
            return;
        }
        let (depth, columns) = (to.len() / width, Matrix { values: from.values, rows: from.columns, columns: 1 });
        transpose(to, width, columns, [wide, depth], T::one_if(true));
    }
}
