//! Averages over group elements: equivariant in value, not only in law, for deterministic kernels.

use crate::{MarkovKernel, OnGroup, Result};
use candle_core::Tensor;
use symdiff_groups::{Action, FiniteGroup, Group};
use symdiff_ops::{Batched, Euclidean, Noise};

/// One frame of each sample, and its weight.
#[derive(Clone, Debug)]
pub struct Frame<G: Group> {
    /// The group elements, one per sample.
    pub element: G::Element,
    /// Their weights, `[B]`; the weights of all frames of a sample sum to 1.
    pub weight: Tensor,
}

/// A map from states to weighted frames that turns with the state: the frames of h·x are h times those of x, with the same weights.
///
/// Weights that vanish where frames would jump make the average continuous (weighted frames, Dym et al., arXiv 2402.16077).
pub trait Frames<X>: OnGroup {
    /// The frames of each sample of x.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn frames(&self, x: &X) -> Result<Vec<Frame<Self::Group>>>;
}

/// Every element of a finite group, equally weighted.
#[derive(Clone, Copy, Debug)]
pub struct AllElements<G>(pub G);

impl<G: FiniteGroup> OnGroup for AllElements<G> {
    type Group = G;

    fn group(&self) -> &G {
        &self.0
    }
}

impl<G: FiniteGroup, X: Batched> Frames<X> for AllElements<G> {
    fn frames(&self, x: &X) -> Result<Vec<Frame<G>>> {
        let elements = self.0.elements(x)?;
        let weight = (Tensor::ones(x.samples().len(), x.dtype(), &x.device())? / elements.len() as f64)?;
        Ok(elements.into_iter().map(|element| Frame { element, weight: weight.clone() }).collect())
    }
}

/// Σ w·g·k(g⁻¹·x) over the frames (g, w) of x: exactly equivariant if k is deterministic.
///
/// # Cost
/// One evaluation of k per frame.
///
/// # Source
/// Puny et al., arXiv 2110.03336, equation 3.
#[derive(Clone, Debug)]
pub struct Averaged<F, K> {
    frames: F,
    kernel: K,
}

impl<F, K> Averaged<F, K> {
    /// `kernel` averaged over `frames`.
    pub fn new(frames: F, kernel: K) -> Self {
        Self { frames, kernel }
    }
}

impl<X, F, K> MarkovKernel<X> for Averaged<F, K>
where
    F: Frames<X>,
    X: Action<F::Group>,
    K: MarkovKernel<X, Out: Action<F::Group> + Euclidean>,
{
    type Out = K::Out;

    fn sample(&self, x: &X, noise: Noise) -> Result<K::Out> {
        let (group, frames) = (self.frames.group(), self.frames.frames(x)?);
        let mut terms = Vec::with_capacity(frames.len());
        for (frame, noise) in frames.iter().zip(noise.repeats(frames.len())) {
            let turned = x.act(group, &group.inverse(&frame.element)?)?;
            let y = self.kernel.sample(&turned, noise)?.act(group, &frame.element)?;
            terms.push((frame.weight.clone(), y));
        }
        weighted_sum("average over frames", terms)
    }
}

/// The mean of m independent draws: less noise, the same mean.
#[derive(Clone, Debug)]
pub struct MeanOf<K> {
    kernel: K,
    draws: usize,
}

impl<K> MeanOf<K> {
    /// The mean of `draws` draws of `kernel`.
    pub fn new(kernel: K, draws: usize) -> Self {
        Self { kernel, draws }
    }
}

impl<X, K: MarkovKernel<X, Out: Euclidean>> MarkovKernel<X> for MeanOf<K> {
    type Out = K::Out;

    fn sample(&self, x: &X, noise: Noise) -> Result<K::Out> {
        let mut terms = Vec::with_capacity(self.draws);
        for noise in noise.repeats(self.draws) {
            let y = self.kernel.sample(x, noise)?;
            let weight = (Tensor::ones(y.samples().len(), y.dtype(), &y.device())? / self.draws as f64)?;
            terms.push((weight, y));
        }
        weighted_sum("mean of draws", terms)
    }
}

/// Σ w·y over terms (w, y), each w `[B]`.
pub(crate) fn weighted_sum<S: Euclidean>(what: &'static str, terms: Vec<(Tensor, S)>) -> Result<S> {
    let mut terms = terms.into_iter();
    let (weight, first) = terms.next().ok_or(crate::Error::Draws { what, got: 0, needed: 1 })?;
    let (one, zero) = (weight.ones_like()?, weight.zeros_like()?);
    let first = first.combine(&weight, &first, &zero)?;
    terms.try_fold(first, |total, (weight, y)| Ok(total.combine(&one, &y, &weight)?))
}
