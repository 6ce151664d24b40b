//! The one verb: sample y ~ k(dy | x).

use crate::{Averaged, Centroid, Charted, MeanOf, Result, Symmetrised};
use std::marker::PhantomData;
use symdiff_groups::{Group, Translations};
use symdiff_ops::Noise;

/// A Markov kernel k(dy | x): given x, a law over outputs. A deterministic network is a kernel that draws nothing.
pub trait MarkovKernel<X> {
    /// What is drawn.
    type Out;

    /// Draws y ~ k(· | x), sample by sample.
    ///
    /// # Errors
    /// Whatever the kernel meets.
    fn sample(&self, x: &X, noise: Noise) -> Result<Self::Out>;
}

/// What every kernel can be wrapped in.
pub trait MarkovKernelExt: Sized {
    /// `sym_γ(k)`: g ~ γ(· | x), y ~ k(· | g⁻¹·x), g·y.
    fn symmetrised<G: Group, C>(self, group: G, gamma: C) -> Symmetrised<G, C, Self> {
        Symmetrised::new(group, gamma, self)
    }

    /// The kernel on a group that reads this kernel's output, a tensor of raw numbers, in a chart.
    fn charted<G: Group, H>(self, group: G, chart: H) -> Charted<G, Self, H> {
        Charted::new(group, self, chart)
    }

    /// The kernel made equivariant under the translations of ℝⁿ: centre x, sample, move back. Outputs that do not translate stay.
    fn centred(self, n: usize) -> Symmetrised<Translations, Centroid, Self> {
        Symmetrised::new(Translations::new(n), Centroid, self)
    }

    /// Σ w·g·k(g⁻¹·x) over the weighted frames of x.
    fn averaged_over<G: Group, F>(self, group: G, frames: F) -> Averaged<G, F, Self> {
        Averaged::new(group, frames, self)
    }

    /// The mean of `draws` draws.
    fn mean_of(self, draws: usize) -> MeanOf<Self> {
        MeanOf::new(self, draws)
    }

    /// The kernel behind a pointer, its type forgotten.
    fn boxed<'a, X>(self) -> Box<dyn MarkovKernel<X, Out = Self::Out> + 'a>
    where
        Self: MarkovKernel<X> + 'a,
    {
        Box::new(self)
    }
}

impl<K: Sized> MarkovKernelExt for K {}

/// A deterministic function as a kernel that draws nothing.
#[derive(Clone, Copy, Debug)]
pub struct Map<X, F> {
    function: F,
    of: PhantomData<fn(&X)>,
}

impl<X, Y, F: Fn(&X) -> Result<Y>> Map<X, F> {
    /// The kernel that returns f(x).
    pub fn new(function: F) -> Self {
        Self { function, of: PhantomData }
    }
}

impl<X, Y, F: Fn(&X) -> Result<Y>> MarkovKernel<X> for Map<X, F> {
    type Out = Y;

    fn sample(&self, x: &X, _: Noise) -> Result<Y> {
        (self.function)(x)
    }
}

impl<X, K: MarkovKernel<X> + ?Sized> MarkovKernel<X> for &K {
    type Out = K::Out;

    fn sample(&self, x: &X, noise: Noise) -> Result<K::Out> {
        (**self).sample(x, noise)
    }
}

impl<X, K: MarkovKernel<X> + ?Sized> MarkovKernel<X> for Box<K> {
    type Out = K::Out;

    fn sample(&self, x: &X, noise: Noise) -> Result<K::Out> {
        (**self).sample(x, noise)
    }
}
