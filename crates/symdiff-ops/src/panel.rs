//! A batch in panels of whole samples: what one thread works through while its activations stay in its caches.

use crate::{Ragged, Result, Samples, threads};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use std::ops::Range;

/// About as many nodes make a panel: enough rows for products to run at full speed.
const NODES: usize = 256;

/// Consecutive samples of a batch, by themselves.
#[derive(Clone, Debug)]
pub struct Panel {
    layout: Ragged,
    nodes: Range<usize>,
    samples: Range<usize>,
}

impl Panel {
    /// Divides a batch into panels of about equal size, a power of two of them where there are samples enough. An accelerator gets the
    /// whole batch as one: it wants large launches. The division depends on the sizes alone, never on the number of threads.
    ///
    /// # Errors
    /// Does not fail on a layout that exists.
    pub fn divide(layout: &Ragged, device: &Device) -> Result<Vec<Self>> {
        let wanted = (layout.nodes() as f64 / NODES as f64).max(1.0).log2().round().exp2() as usize;
        let count = if on_threads(device) { wanted.min(layout.len()) } else { 1 };
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

/// Works on every item, each on one thread; a single item is left all threads. Results come in order.
///
/// # Errors
/// The first failure.
pub fn each<S: Send, R: Send>(items: Vec<S>, work: impl Fn(S) -> Result<R> + Send + Sync) -> Result<Vec<R>> {
    if items.len() < 2 || threads::count() == 1 {
        return items.into_iter().map(work).collect();
    }
    items.into_par_iter().map(work).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_cover_every_sample_once_whatever_the_sizes() -> Result<()> {
        for sizes in [vec![1], vec![700], vec![1, 2000, 1], vec![18; 64], vec![29; 500], (1..90).collect::<Vec<_>>()] {
            let layout = Ragged::from_sizes(&sizes)?;
            let panels = Panel::divide(&layout, &Device::Cpu)?;
            let ids: Vec<u64> = panels.iter().flat_map(|panel| panel.layout().samples().ids().to_vec()).collect();
            assert_eq!(ids, layout.samples().ids(), "{sizes:?}");
            assert_eq!(panels.iter().map(|panel| panel.layout().nodes()).sum::<usize>(), layout.nodes());
            assert!(panels.len().is_power_of_two() || panels.len() == layout.len());
        }
        Ok(())
    }

    #[test]
    fn panels_of_a_batch_of_alike_samples_are_alike() -> Result<()> {
        let panels = Panel::divide(&Ragged::from_sizes(&[18; 64])?, &Device::Cpu)?;
        assert_eq!(panels.iter().map(|panel| panel.layout().nodes()).collect::<Vec<_>>(), [288; 4]);
        Ok(())
    }
}
