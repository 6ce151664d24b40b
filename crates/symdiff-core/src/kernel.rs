//! The one verb: sample y ~ k(dy | x).

use crate::Result;
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
