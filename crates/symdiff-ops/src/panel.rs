//! A batch in panels of whole samples: what one thread works through while its activations stay in its caches.

use crate::{Ragged, Result, Samples, threads};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use std::ops::Range;

/// About as many nodes make a panel: enough rows for products to run at full speed, few enough for the second cache.
const NODES: usize = 512;

/// Panels are made as small as this for every thread to have one.
const FEWEST: usize = 128;

/// Consecutive samples of a batch, by themselves.
#[derive(Clone, Debug)]
pub struct Panel {
    layout: Ragged,
    nodes: Range<usize>,
    samples: Range<usize>,
}

impl Panel {
    /// Divides a batch into panels of about equal size, a power of two of them where there are samples enough; a small batch into one for each
    /// thread. An accelerator gets the whole batch as one: it wants large launches.
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

/// True where ops run on the threads of the CPU.
fn on_threads(device: &Device) -> bool {
    #[cfg(kernels)]
    if crate::gpu::serves(device) {
        return false;
    }
    device.is_cpu()
}

/// Works on every item, each on one thread; a single item is left all threads. Threads take one item after the other, so that those which take
/// longest should come first, and results come in order. What an accelerator works on is asked for by the calling thread alone.
///
/// # Errors
/// A failure of one of them.
pub fn each<S: Send, R: Send>(device: &Device, items: Vec<S>, work: impl Fn(S) -> Result<R> + Send + Sync) -> Result<Vec<R>> {
    if items.len() < 2 || alone(device) {
        return items.into_iter().map(work).collect();
    }
    let work = |(place, item)| Ok((place, threads::task(|| work(item))?));
    let mut results = items.into_iter().enumerate().par_bridge().map(work).collect::<Result<Vec<(usize, R)>>>()?;
    results.sort_unstable_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// True where there is nothing to divide work among.
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
