//! A batch in panels of whole samples, each small enough for one core's caches.

use crate::dispatch::on_threads;
use crate::linear::{self, LaidOut};
use crate::{Ragged, Result, Samples, threads};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use std::ops::Range;

/// About as many nodes make a panel: enough rows for products to run at full speed, few enough for the L2 cache.
const NODES: usize = 512;

/// A panel has at least about as many, even where some threads then have none.
const FEWEST: usize = 128;

/// Some consecutive samples of a batch.
#[derive(Clone, Debug)]
pub struct Panel {
    layout: Ragged,
    nodes: Range<usize>,
    samples: Range<usize>,
}

impl Panel {
    /// Divides a batch into panels of about equal size: a power of two of them, or, for a small batch, one for each thread. An accelerator gets
    /// the whole batch as one panel, since its launches should be large.
    ///
    /// # Errors
    /// Does not fail on a layout that exists.
    pub fn divide(layout: &Ragged, device: &Device) -> Result<Vec<Self>> {
        if on_threads(device) { Self::divided(layout, threads::count()) } else { Self::into(layout, 1) }
    }

    fn divided(layout: &Ragged, threads: usize) -> Result<Vec<Self>> {
        let by_size = (layout.nodes() as f64 / NODES as f64).max(1.0).log2().round().exp2() as usize;
        let by_thread = threads.min(layout.nodes() / FEWEST);
        Self::into(layout, by_size.max(by_thread).min(layout.len()))
    }

    fn into(layout: &Ragged, count: usize) -> Result<Vec<Self>> {
        let mut panels = Vec::with_capacity(count);
        let mut start = 0;
        for k in 1..=count {
            let target = layout.nodes() * k / count;
            let end = layout.offsets().partition_point(|&offset| offset < target).clamp(start + 1, layout.len() - (count - k));
            panels.push(Self::of(layout, start..end)?);
            start = end;
        }
        Ok(panels)
    }

    fn of(layout: &Ragged, samples: Range<usize>) -> Result<Self> {
        let nodes = layout.offsets()[samples.start]..layout.offsets()[samples.end];
        let sizes: Vec<usize> = samples.clone().map(|sample| layout.rows(sample).len()).collect();
        let ids = Samples::new(&layout.samples().ids()[samples.clone()]);
        Ok(Self { layout: Ragged::new(&sizes, ids)?, nodes, samples })
    }

    /// The layout of its samples.
    pub fn layout(&self) -> &Ragged {
        &self.layout
    }

    /// Its rows of a tensor `[N, C]`.
    ///
    /// # Errors
    /// When the tensor has fewer rows.
    pub fn nodes_of(&self, tensor: &Tensor) -> Result<Tensor> {
        Ok(tensor.narrow(0, self.nodes.start, self.nodes.len())?)
    }

    /// Its rows of a tensor `[B, C]`, or the one row `[1, C]` that all samples share.
    ///
    /// # Errors
    /// When the tensor has another number of rows.
    pub fn samples_of(&self, tensor: &Tensor) -> Result<Tensor> {
        if tensor.dims().first() == Some(&1) {
            return Ok(tensor.clone());
        }
        Ok(tensor.narrow(0, self.samples.start, self.samples.len())?)
    }
}

/// Works on every item, each on one thread, and returns the results in the order of the items. A single item may use all threads. Threads take
/// items one after the other, so the items that take longest should come first. On an accelerator the calling thread works on all items in
/// turn.
///
/// # Errors
/// A failure of one of them.
pub fn each<S: Send, R: Send>(device: &Device, items: Vec<S>, work: impl Fn(S) -> Result<R> + Send + Sync) -> Result<Vec<R>> {
    if items.len() < 2 || alone(device) {
        return items.into_iter().map(work).collect();
    }
    let weights = LaidOut::current();
    let work = |(place, item)| Ok((place, threads::task(|| linear::within(weights.clone(), || work(item)))?));
    let mut results = items.into_iter().enumerate().par_bridge().map(work).collect::<Result<Vec<(usize, R)>>>()?;
    results.sort_unstable_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// True where the calling thread is the only one.
fn alone(device: &Device) -> bool {
    !on_threads(device) || threads::count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn panels_cover_every_sample_once_whatever_the_sizes() -> Result<()> {
        for sizes in [vec![1], vec![700], vec![1, 2000, 1], vec![18; 64], vec![29; 500], (1..90).collect::<Vec<_>>()] {
            for threads in [1, 2, 3, 64] {
                let layout = Ragged::from_sizes(&sizes)?;
                let panels = Panel::divided(&layout, threads)?;
                let ids: Vec<u64> = panels.iter().flat_map(|panel| panel.layout().samples().ids().to_vec()).collect();
                assert_eq!(ids, layout.samples().ids(), "{sizes:?}");
                assert_eq!(panels.iter().map(|panel| panel.layout().nodes()).sum::<usize>(), layout.nodes());
            }
        }
        Ok(())
    }

    #[test]
    fn panels_of_a_batch_of_alike_samples_are_alike() -> Result<()> {
        let nodes = |samples: usize, threads: usize| -> Result<Vec<usize>> {
            let panels = Panel::divided(&Ragged::from_sizes(&vec![18; samples])?, threads)?;
            Ok(panels.iter().map(|panel| panel.layout().nodes()).collect())
        };
        assert_eq!(nodes(64, 2)?, [576; 2]);
        assert_eq!(nodes(64, 4)?, [288; 4]);
        assert_eq!(nodes(16, 2)?, [144; 2]);
        assert_eq!(nodes(64, 100)?.len(), 9);
        assert_eq!(nodes(7, 8)?, [126]);
        Ok(())
    }

    #[test]
    fn results_come_in_order_and_a_failure_comes_out() -> Result<()> {
        let squares = each(&Device::Cpu, (0..40_u64).collect(), |k| Ok(k * k))?;
        assert_eq!(squares, (0..40).map(|k| k * k).collect::<Vec<_>>());
        let refused = each(&Device::Cpu, vec![1, 2, 3], |k| if k == 2 { Err(Error::Layout("refused".into())) } else { Ok(k) });
        assert!(matches!(refused, Err(Error::Layout(_))));
        Ok(())
    }
}
