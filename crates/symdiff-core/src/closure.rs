//! Closures as kernels.

use crate::{MarkovKernel, Result};
use std::marker::PhantomData;
use symdiff_ops::Noise;

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

/// A function of a state and a noise stream as a kernel.
///
/// ```
/// use symdiff_core::{Draw, MarkovKernelExt, Noise};
/// use symdiff_groups::Cloud;
/// use symdiff_ops::Euclidean;
///
/// let gaussian = Draw::new(|x: &Cloud, noise: Noise| Ok(x.gaussian(noise)?));
/// let less = gaussian.mean_of(4);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Draw<X, F> {
    function: F,
    of: PhantomData<fn(&X)>,
}

impl<X, Y, F: Fn(&X, Noise) -> Result<Y>> Draw<X, F> {
    /// The kernel that returns f(x, noise).
    pub fn new(function: F) -> Self {
        Self { function, of: PhantomData }
    }
}

impl<X, Y, F: Fn(&X, Noise) -> Result<Y>> MarkovKernel<X> for Draw<X, F> {
    type Out = Y;

    fn sample(&self, x: &X, noise: Noise) -> Result<Y> {
        (self.function)(x, noise)
    }
}
