//! Training in several processes: what each has to compute and exchange.

use crate::Result;
use candle_core::Tensor;

/// A part of the global batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which part, from 0.
    pub index: usize,
    /// How many parts there are.
    pub count: usize,
}

impl Share {
    /// The batch undivided.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// The samples of a batch of `batch` that belong to this share.
    pub fn samples(self, batch: usize) -> std::ops::Range<usize> {
        batch * self.index / self.count..batch * (self.index + 1) / self.count
    }
}

/// The processes that train one model together.
pub trait Ranks {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;

    /// How many processes there are.
    fn size(&self) -> usize;

    /// Sums tensors over all processes in a balanced binary tree, so that the order of additions does not depend on who is first.
    ///
    /// # Errors
    /// When a process is lost.
    fn sum_in_tree(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>>;

    /// The tensors of rank 0, on every process.
    ///
    /// # Errors
    /// When a process is lost.
    fn broadcast(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>>;
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

    fn sum_in_tree(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>> {
        Ok(tensors)
    }

    fn broadcast(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>> {
        Ok(tensors)
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn shares_divide_a_batch_without_gap_or_overlap() {
        for (batch, count) in [(64, 4), (7, 2), (3, 4)] {
            let samples: Vec<usize> = (0..count).flat_map(|index| Share { index, count }.samples(batch)).collect();
            assert_eq!(samples, (0..batch).collect::<Vec<_>>());
        }
        assert_eq!(Share::WHOLE.samples(5), 0..5);
    }
}
