//! The four traits everybody meets at.

use crate::Result;
use candle_core::Tensor;
use symdiff_ops::{Batched, Noise};

/// A group. Its elements come in batches: one per sample.
pub trait Group: Clone {
    /// One group element per sample of a batch. The group acts on itself by left translation: `h.act(group, g)` is g·h.
    type Element: Clone + Action<Self>;

    /// g·h, sample by sample.
    ///
    /// # Errors
    /// When the batches differ.
    fn compose(&self, g: &Self::Element, h: &Self::Element) -> Result<Self::Element> {
        h.act(self, g)
    }

    /// g⁻¹, sample by sample.
    ///
    /// # Errors
    /// When the device refuses.
    fn inverse(&self, g: &Self::Element) -> Result<Self::Element>;

    /// The identity for each sample of `like`.
    ///
    /// # Errors
    /// When the device refuses.
    fn identity(&self, like: &impl Batched) -> Result<Self::Element>;
}

/// A left action of `G` on a state: act(g·h, x) = act(g, act(h, x)) and act(e, x) = x.
pub trait Action<G: Group>: Sized {
    /// g·x, sample by sample.
    ///
    /// # Errors
    /// When the batches differ.
    fn act(&self, group: &G, g: &G::Element) -> Result<Self>;
}

/// A compact group, which has a unique invariant probability measure.
pub trait CompactGroup: Group {
    /// An independent draw from the Haar measure for each sample of `like`.
    ///
    /// # Errors
    /// When a recording does not fit.
    fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Self::Element>;
}

/// A map from raw network outputs onto the group.
pub trait Chart<G: Group> {
    /// The group element of each sample's raw numbers, differentiable almost everywhere.
    ///
    /// # Errors
    /// When the shape does not fit the chart.
    fn project(&self, raw: &Tensor) -> Result<G::Element>;
}
