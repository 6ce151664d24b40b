//! Ragged batches: samples of different sizes packed one after the other, with no padding and no mask.
//!
//! Symbols, fixed across the workspace: **B** samples, **N** nodes in total, **`n_i`** nodes of sample i, **C** channels.
//! A per-node tensor is `[N, C]`, the nodes of sample i in rows `offsets[i]..offsets[i + 1]`; a per-sample one is `[B, …]`.
//!
//! Each sample carries an **id**. Random draws are keyed by it ([`crate::Noise`]), so what is drawn for a sample
//! does not depend on which others share its batch.

use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use std::ops::Range;
use std::sync::Arc;

/// The identities of a batch's samples, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples(Arc<[u64]>);

impl Samples {
    /// Samples with the given ids.
    pub fn new(ids: impl Into<Arc<[u64]>>) -> Self {
        Self(ids.into())
    }

    /// `count` samples with ids 0, 1, ….
    pub fn numbered(count: usize) -> Self {
        Self((0..count as u64).collect())
    }

    /// The number of samples, B.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is no sample.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids, `[B]`.
    pub fn ids(&self) -> &[u64] {
        &self.0
    }
}

/// A value with one entry per sample of a batch: enough to draw something alike for each sample.
pub trait Batched {
    /// The samples, in order.
    fn samples(&self) -> Samples;
    /// Where its tensors live.
    fn device(&self) -> Device;
    /// The floating-point type of its tensors.
    fn dtype(&self) -> DType;
}

/// A tensor whose first axis counts samples, numbered from 0.
impl Batched for Tensor {
    fn samples(&self) -> Samples {
        Samples::numbered(self.dims().first().copied().unwrap_or(1))
    }

    fn device(&self) -> Device {
        Self::device(self).clone()
    }

    fn dtype(&self) -> DType {
        Self::dtype(self)
    }
}

/// Values of several parts: the first part speaks for all.
macro_rules! batched_tuple {
    ($first:ident $(, $rest:ident)+) => {
        impl<$first: Batched $(, $rest)+> Batched for ($first $(, $rest)+) {
            fn samples(&self) -> Samples {
                self.0.samples()
            }

            fn device(&self) -> Device {
                self.0.device()
            }

            fn dtype(&self) -> DType {
                self.0.dtype()
            }
        }
    };
}
batched_tuple!(A, B);
batched_tuple!(A, B, C);

/// How N nodes divide into B samples. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ragged(Arc<Layout>);

#[derive(Debug)]
struct Layout {
    offsets: Vec<usize>,
    owners: Vec<u32>,
    samples: Samples,
    longest: usize,
    #[cfg(kernels)]
    uploads: crate::gpu::uploads::Uploads<2>,
}

impl Ragged {
    /// The layout of samples with the given sizes.
    ///
    /// # Errors
    /// [`Error::Layout`] when there is no sample, a sample has no node, or `sizes` and `samples` differ in length.
    pub fn new(sizes: &[usize], samples: Samples) -> Result<Self> {
        if sizes.len() != samples.len() {
            return Err(Error::Layout(format!("{} sizes for {} samples", sizes.len(), samples.len())));
        }
        let longest = sizes.iter().copied().max().ok_or_else(|| Error::Layout("no samples; give at least one".into()))?;
        if let Some(empty) = sizes.iter().position(|&size| size == 0) {
            return Err(Error::Layout(format!("sample {empty} has no nodes; leave it out")));
        }
        let mut offsets = Vec::with_capacity(sizes.len() + 1);
        let mut owners = Vec::with_capacity(sizes.iter().sum());
        offsets.push(0);
        for (sample, &size) in sizes.iter().enumerate() {
            owners.resize(owners.len() + size, sample as u32);
            offsets.push(owners.len());
        }
        Ok(Self(Arc::new(Layout {
            offsets,
            owners,
            samples,
            longest,
            #[cfg(kernels)]
            uploads: crate::gpu::uploads::Uploads::default(),
        })))
    }

    /// Samples of the given sizes with ids 0, 1, ….
    ///
    /// # Errors
    /// As [`Ragged::new`].
    pub fn from_sizes(sizes: &[usize]) -> Result<Self> {
        Self::new(sizes, Samples::numbered(sizes.len()))
    }

    /// The samples, B of them.
    pub fn samples(&self) -> &Samples {
        &self.0.samples
    }

    /// The number of samples, B.
    pub fn len(&self) -> usize {
        self.0.samples.len()
    }

    /// Always false: a layout holds at least one sample.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The number of nodes, N.
    pub fn nodes(&self) -> usize {
        self.0.owners.len()
    }

    /// The largest sample's number of nodes; in a [part](Self::part_of) of a batch, that of the whole batch.
    pub fn longest(&self) -> usize {
        self.0.longest
    }

    /// The same layout as a part of a batch whose largest sample has `longest` nodes: what depends on the batch's largest sample then has the value that it
    /// has in the whole batch.
    ///
    /// # Errors
    /// [`Error::Layout`] when a sample has more nodes.
    pub fn part_of(&self, longest: usize) -> Result<Self> {
        let Layout { offsets, owners, samples, longest: own, .. } = &*self.0;
        if longest < *own {
            return Err(Error::Layout(format!("a sample of {own} nodes cannot be part of a batch whose largest has {longest}")));
        }
        Ok(Self(Arc::new(Layout {
            offsets: offsets.clone(),
            owners: owners.clone(),
            samples: samples.clone(),
            longest,
            #[cfg(kernels)]
            uploads: crate::gpu::uploads::Uploads::default(),
        })))
    }

    /// Where each sample starts, `[B + 1]`, from 0 to N.
    pub fn offsets(&self) -> &[usize] {
        &self.0.offsets
    }

    /// The sample each node belongs to, `[N]`.
    pub fn owners(&self) -> &[u32] {
        &self.0.owners
    }

    /// The rows of sample `i`.
    pub fn rows(&self, i: usize) -> Range<usize> {
        self.0.offsets[i]..self.0.offsets[i + 1]
    }

    /// The sizes `n_i`, `[B]`.
    pub fn sizes(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.0.offsets.windows(2).map(|pair| pair[1] - pair[0])
    }

    /// The sizes `n_i` as a tensor `[B, 1]`.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn sizes_tensor(&self, dtype: DType, device: &Device) -> Result<Tensor> {
        let sizes: Vec<f64> = self.sizes().map(|size| size as f64).collect();
        Ok(Tensor::from_vec(sizes, (self.len(), 1), device)?.to_dtype(dtype)?)
    }

    /// The owners as an index tensor `[N]` of u32.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn owners_tensor(&self, device: &Device) -> Result<Tensor> {
        Ok(Tensor::from_slice(self.owners(), self.nodes(), device)?)
    }

    /// The number of ordered pairs within samples, self pairs included: Σ `n_i²`.
    pub fn pairs(&self) -> usize {
        self.sizes().map(|size| size * size).sum()
    }

    /// Fails unless `tensor` has one row per node.
    ///
    /// # Errors
    /// [`Error::Shape`] in the name of `op`.
    pub fn check_nodes(&self, op: &'static str, what: &'static str, tensor: &Tensor) -> Result<()> {
        if tensor.rank() == 2 && tensor.dims()[0] == self.nodes() {
            return Ok(());
        }
        Err(Error::Shape { op, what, got: tensor.dims().to_vec(), expected: format!("[{}, C], one row per node", self.nodes()) })
    }

    /// Offsets `[B + 1]` and owners `[N]` on `device`, as u32, uploaded at first use.
    #[cfg(kernels)]
    pub(crate) fn on_device(&self, device: &Device) -> Result<[Tensor; 2]> {
        self.0.uploads.on(device, || Ok([crate::gpu::uploads::places(self.offsets(), device)?, self.owners_tensor(device)?]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_owners_agree() -> Result<()> {
        let ragged = Ragged::from_sizes(&[3, 1, 2])?;
        assert_eq!(ragged.offsets(), [0, 3, 4, 6]);
        assert_eq!(ragged.owners(), [0, 0, 0, 1, 2, 2]);
        assert_eq!((ragged.nodes(), ragged.longest(), ragged.pairs()), (6, 3, 14));
        assert_eq!(ragged.rows(2), 4..6);
        Ok(())
    }

    #[test]
    fn a_part_has_the_largest_sample_of_its_batch() -> Result<()> {
        let part = Ragged::from_sizes(&[3, 1])?.part_of(5)?;
        assert_eq!((part.longest(), part.nodes(), part.samples().ids()), (5, 4, &[0, 1][..]));
        assert!(Ragged::from_sizes(&[3])?.part_of(2).is_err());
        Ok(())
    }

    #[test]
    fn impossible_layouts_are_refused() {
        let message = |sizes: &[usize]| Ragged::from_sizes(sizes).map(|_| ()).map_err(|e| e.to_string());
        assert_eq!(message(&[]), Err("ragged batch: no samples; give at least one".into()));
        assert_eq!(message(&[2, 0]), Err("ragged batch: sample 1 has no nodes; leave it out".into()));
        assert!(Ragged::new(&[1], Samples::numbered(2)).is_err());
    }
}
