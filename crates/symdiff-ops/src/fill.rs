//! New vectors, filled block by block on all threads.
//!
//! Every op of this crate writes its results through [`fill`], or, where each number is written once and for all, through [`fill_places`].
//! The memory comes uninitialised; for the former, each block is zeroed by the task that is about to write it (while it sits in that core's
//! cache). Blocks never depend on the number of threads: that is what makes the ops deterministic.

use crate::threads;
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Calls that touch fewer numbers than this run on the calling thread: waking the others would cost more.
const SERIAL: usize = 8192;

/// How a result divides into blocks: block i holds rows `bounds[i]..bounds[i + 1]` of `width` elements.
#[derive(Clone, Copy)]
pub(crate) struct Blocks<'a> {
    pub(crate) bounds: &'a [usize],
    pub(crate) width: usize,
}

impl Blocks<'_> {
    fn total(&self) -> usize {
        self.width * self.bounds.last().copied().unwrap_or(0)
    }

    fn len_of(&self, block: usize) -> usize {
        self.width * (self.bounds[block + 1] - self.bounds[block])
    }
}

/// Bounds of blocks of `rows` rows that hold about `elements` elements each.
pub(crate) fn even_bounds(rows: usize, width: usize, elements: usize) -> Vec<usize> {
    let step = (elements / width.max(1)).max(1);
    (0..rows).step_by(step).chain([rows]).collect()
}

/// M vectors, made together: `body(i, [block i of each])` writes into zeroed blocks. All must have the same number of blocks.
/// `work` is about how many numbers the call reads and writes.
pub(crate) fn fill<T, const M: usize>(work: usize, shapes: [Blocks<'_>; M], body: impl Fn(usize, [&mut [T]; M]) + Sync) -> [Vec<T>; M]
where
    T: Copy + Default + Send,
{
    // SAFETY: zeros are numbers.
    unsafe { fill_places(work, shapes, |block, parts| body(block, parts.map(zeroed))) }
}

/// As [`fill`], for a body that writes to every place itself.
///
/// # Safety
/// After `body` all places of its blocks hold numbers.
pub(crate) unsafe fn fill_places<T: Copy + Send, const M: usize>(
    work: usize,
    shapes: [Blocks<'_>; M],
    body: impl Fn(usize, [&mut [MaybeUninit<T>]; M]) + Sync,
) -> [Vec<T>; M] {
    let count = shapes.first().map_or(0, |shape| shape.bounds.len().saturating_sub(1));
    assert!(shapes.iter().all(|shape| shape.bounds.len() == count + 1), "results of one call have the same number of blocks");
    let totals = shapes.map(|shape| shape.total());
    let mut results = totals.map(Vec::with_capacity);
    let mut index = 0;
    let mut rests = results.each_mut().map(|result| {
        index += 1;
        &mut result.spare_capacity_mut()[..totals[index - 1]]
    });
    let blocks: Vec<[&mut [MaybeUninit<T>]; M]> = (0..count)
        .map(|block| {
            let mut index = 0;
            rests.each_mut().map(|rest| {
                let (front, back) = std::mem::take(rest).split_at_mut(shapes[index].len_of(block));
                *rest = back;
                index += 1;
                front
            })
        })
        .collect();
    assert!(rests.iter().all(|rest| rest.is_empty()), "block bounds start at row 0");
    let run = |(block, parts): (usize, [&mut [MaybeUninit<T>]; M])| body(block, parts);
    if count < 2 || work < SERIAL || threads::count() == 1 {
        blocks.into_iter().enumerate().for_each(run);
    } else {
        blocks.into_par_iter().enumerate().for_each(|block| threads::task(|| run(block)));
    }
    for (result, total) in results.iter_mut().zip(totals) {
        // SAFETY: the blocks cover the first `total` elements without a gap (asserted above), `body` has written them all, as the caller
        // promises, and a panic of it does not come here.
        unsafe { result.set_len(total) };
    }
    results
}

/// One vector, made as by [`fill`].
pub(crate) fn fill_one<T: Copy + Default + Send>(work: usize, shape: Blocks<'_>, body: impl Fn(usize, &mut [T]) + Sync) -> Vec<T> {
    let [result] = fill(work, [shape], |block, [out]| body(block, out));
    result
}

/// Places, each with a zero in it.
pub(crate) fn zeroed<T: Copy + Default>(block: &mut [MaybeUninit<T>]) -> &mut [T] {
    for slot in block.iter_mut() {
        slot.write(T::default());
    }
    // SAFETY: every element has just been written, and `MaybeUninit<T>` has the layout of `T`.
    unsafe { &mut *(std::ptr::from_mut(block) as *mut [T]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_several_results_line_up() {
        let bounds = [0, 3, 4, 4, 9];
        let ones: Vec<usize> = (0..5).collect();
        let [rows, sums] = fill(0, [Blocks { bounds: &bounds, width: 2 }, Blocks { bounds: &ones, width: 1 }], |block, [rows, sum]| {
            rows.fill(block);
            sum[0] = rows.len();
        });
        assert_eq!(rows, [0, 0, 0, 0, 0, 0, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
        assert_eq!(sums, [6, 2, 0, 10]);
    }

    #[test]
    fn large_results_are_the_same_on_many_threads() {
        let bounds = even_bounds(1000, 64, 512);
        assert_eq!(bounds.last(), Some(&1000));
        let result = fill_one(SERIAL, Blocks { bounds: &bounds, width: 64 }, |block, out: &mut [usize]| {
            let start = bounds[block] * 64;
            out.iter_mut().enumerate().for_each(|(k, slot)| *slot = start + k);
        });
        assert!(result.iter().enumerate().all(|(k, &value)| k == value));
    }
}
