//! Training in several processes: what each of them computes, and what they exchange.
//!
//! The global batch is divided into [`Settings::shares`](crate::Settings::shares) equal shares. The gradient of a share is computed alone, and the shares are
//! summed in a balanced binary tree: those of one process by [`in_tree`], those of different processes by [`sum_in_tree`]. Both add the same
//! numbers in the same order, so the sum does not depend on how many processes there are.

mod buckets;
mod pairs;
mod threads;
mod tree;

pub(crate) use buckets::{Buckets, Found};
pub(crate) use pairs::gather_numbers;
pub use pairs::{Pairs, sum_in_tree, sum_tensors};
pub use threads::Threads;
pub use tree::in_tree;

use crate::Result;
use candle_core::Tensor;
use std::ops::Range;

/// A part of a whole: of the global batch, of the samples to draw, of the molecules to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which part, from 0.
    pub index: usize,
    /// How many parts there are.
    pub count: usize,
}

impl Share {
    /// All of it.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// The share that a process has of work that is divided by processes.
    pub fn of(ranks: &(impl Ranks + ?Sized)) -> Self {
        Self { index: ranks.rank(), count: ranks.size() }
    }

    /// The places of a sequence of `length` that belong to this share. The shares of one count are contiguous and cover the sequence.
    pub fn range(self, length: usize) -> Range<usize> {
        length * self.index / self.count..length * (self.index + 1) / self.count
    }
}

/// The processes that work on one thing together. Each of them makes the same calls in the same order.
pub trait Ranks {
    /// The number of this process, from 0. Process 0 alone writes files.
    fn rank(&self) -> usize;

    /// How many processes there are.
    fn size(&self) -> usize;

    /// The sums of f32 tensors over all processes, on every process. A transport that adds in a [balanced binary tree](sum_in_tree) gives the same
    /// bits on any number of processes.
    ///
    /// # Errors
    /// When a process is lost.
    fn sum(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>>;

    /// What each process gives, in the order of ranks, on every process.
    ///
    /// # Errors
    /// When a process is lost.
    fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>>;

    /// True on every process when it is true on one of them.
    ///
    /// # Errors
    /// When a process is lost.
    fn any(&self, mine: bool) -> Result<bool> {
        Ok(self.gather(&[u8::from(mine)])?.concat().contains(&1))
    }

    /// The same ranks, to be called by another thread while this one calls nothing of them; `None` where the transport belongs to one thread. The answer does not change. A trainer whose sums
    /// [overlap](crate::Settings::overlap) the backward pass calls them so while its task computes a batch, a loss and gradients.
    fn for_another_thread(&self) -> Option<&(dyn Ranks + Sync)> {
        None
    }
}

impl<R: Ranks + ?Sized> Ranks for &R {
    fn rank(&self) -> usize {
        (**self).rank()
    }

    fn size(&self) -> usize {
        (**self).size()
    }

    fn sum(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>> {
        (**self).sum(tensors)
    }

    fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        (**self).gather(mine)
    }

    fn for_another_thread(&self) -> Option<&(dyn Ranks + Sync)> {
        (**self).for_another_thread()
    }
}

/// One process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Ranks for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn sum(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>> {
        Ok(tensors)
    }

    fn gather(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>> {
        Ok(vec![mine.to_vec()])
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn shares_divide_a_batch_without_gap_or_overlap() {
        for (batch, count) in [(64, 4), (7, 2), (3, 4)] {
            let samples: Vec<usize> = (0..count).flat_map(|index| Share { index, count }.range(batch)).collect();
            assert_eq!(samples, (0..batch).collect::<Vec<_>>());
        }
        assert_eq!(Share::WHOLE.range(5), 0..5);
    }
}
