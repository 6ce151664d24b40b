//! The one verb: sample y ~ k(dy | x).

use crate::{Charted, Result, Symmetrised};
use std::marker::PhantomData;
use symdiff_groups::Group;
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
