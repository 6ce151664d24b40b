//! Which nodes send to which, and what the sum over senders is divided by.

use crate::Ragged;
#[cfg(kernels)]
use crate::Result;
use std::ops::Range;

/// What the sum over a node's senders is divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Divisor {
    /// One number for all samples. An implementation that pads and takes means divides by the padded length.
    Constant(f64),
    /// The number of nodes of the receiver's sample.
    Nodes,
}

/// The edges of a batch: all ordered pairs of nodes of one sample, ordered by receiver, then sender.
#[derive(Clone, Debug)]
pub struct Pairs {
    layout: Ragged,
    own: bool,
    divisor: Divisor,
    /// Where each receiver's edges start, `[N + 1]`.
    offsets: Vec<usize>,
    #[cfg(kernels)]
    uploads: std::sync::Arc<crate::gpu::uploads::Uploads<1>>,
}

impl Pairs {
    /// Every node receives from every node of its sample: from itself too when `own`.
    pub fn new(layout: &Ragged, own: bool, divisor: Divisor) -> Self {
        let mut offsets = Vec::with_capacity(layout.nodes() + 1);
        let mut total = 0;
        offsets.push(0);
        for size in layout.sizes() {
            let senders = size - usize::from(!own);
            for _ in 0..size {
                total += senders;
                offsets.push(total);
            }
        }
        Self {
            layout: layout.clone(),
            own,
            divisor,
            offsets,
            #[cfg(kernels)]
            uploads: std::sync::Arc::default(),
        }
    }

    /// The layout of the nodes.
    pub fn layout(&self) -> &Ragged {
        &self.layout
    }

    /// What sums over senders are divided by.
    pub fn divisor(&self) -> Divisor {
        self.divisor
    }

    /// E, the number of edges.
    pub fn len(&self) -> usize {
        self.offsets[self.layout.nodes()]
    }

    /// True when no node has a sender: all samples are single nodes that do not send to themselves.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where each receiver's edges start, on `device`, as u32.
    #[cfg(kernels)]
    pub(super) fn on_device(&self, device: &candle_core::Device) -> Result<candle_core::Tensor> {
        let [edges] = self.uploads.on(device, || Ok([crate::gpu::uploads::places(&self.offsets, device)?]))?;
        Ok(edges)
    }

    /// The edges into a range of nodes.
    pub(super) fn edges(&self, receivers: &Range<usize>) -> Range<usize> {
        self.offsets[receivers.start]..self.offsets[receivers.end]
    }

    /// Where the edges into each of these nodes start, and where the last ones end.
    pub(super) fn starts(&self, nodes: &[usize]) -> Vec<usize> {
        nodes.iter().map(|&node| self.offsets[node]).collect()
    }

    /// The senders of a node: the nodes of its sample, and the place among them to leave out (past the end when there is none).
    pub(super) fn senders(&self, receiver: usize) -> (Range<usize>, usize) {
        let rows = self.layout.rows(self.layout.owners()[receiver] as usize);
        let skip = if self.own { usize::MAX } else { receiver - rows.start };
        (rows, skip)
    }

    /// The factor on the sum over a node's senders.
    pub(super) fn factor(&self, receiver: usize) -> f64 {
        match self.divisor {
            Divisor::Constant(divisor) => 1.0 / divisor,
            Divisor::Nodes => 1.0 / self.senders(receiver).0.len() as f64,
        }
    }

    /// Bounds that cut a range of nodes into chunks of about `edges` edges, at least one node each.
    pub(super) fn chunks(&self, nodes: Range<usize>, edges: usize) -> Vec<usize> {
        self.cut(nodes.start, nodes.start + 1..=nodes.end, edges)
    }

    /// Bounds that cut the nodes into blocks of whole samples, of about `edges` edges.
    pub(super) fn blocks(&self, edges: usize) -> Vec<usize> {
        self.cut(0, self.layout.offsets()[1..].iter().copied(), edges)
    }

    /// From `start` on, the fewest of the places `ends`, in order, that leave no more than `edges` edges between neighbours where
    /// that can be.
    fn cut(&self, start: usize, ends: impl IntoIterator<Item = usize>, edges: usize) -> Vec<usize> {
        let mut bounds = vec![start];
        let (mut from, mut last) = (start, start);
        for end in ends {
            if last > from && self.offsets[end] - self.offsets[from] > edges {
                bounds.push(last);
                from = last;
            }
            last = end;
        }
        bounds.push(last);
        bounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Result;

    #[test]
    fn senders_and_bounds_follow_the_samples() -> Result<()> {
        let layout = Ragged::from_sizes(&[3, 1, 2])?;
        let (others, all) = (Pairs::new(&layout, false, Divisor::Constant(2.0)), Pairs::new(&layout, true, Divisor::Nodes));
        assert_eq!((others.len(), all.len()), (8, 14));
        assert_eq!((others.edges(&(2..5)), all.edges(&(2..5))), (4..7, 6..12));
        assert_eq!((others.senders(4), all.senders(4)), ((4..6, 0), (4..6, usize::MAX)));
        assert_eq!((others.factor(0).to_bits(), all.factor(5).to_bits()), (0.5_f64.to_bits(), 0.5_f64.to_bits()));
        Ok(())
    }

    #[test]
    fn cuts_leave_no_node_out_and_no_chunk_empty() -> Result<()> {
        let layout = Ragged::from_sizes(&[3, 1, 2, 7])?;
        let pairs = Pairs::new(&layout, true, Divisor::Nodes);
        assert_eq!(pairs.chunks(0..6, 6), [0, 2, 5, 6]);
        assert_eq!(pairs.chunks(6..13, 1), [6, 7, 8, 9, 10, 11, 12, 13]);
        assert_eq!(pairs.blocks(14), [0, 6, 13]);
        assert_eq!(pairs.blocks(1), [0, 3, 4, 6, 13]);
        Ok(())
    }
}
