//! States that diffuse: batches of points of a Euclidean space per sample.

use crate::{Batched, Noise, Result};
use candle_core::Tensor;

/// A batch of samples, each a vector of a Euclidean space of its own dimension: what a Gaussian diffusion process needs to know of a
/// state, and all it may know.
///
/// The space may be a subspace of the coordinates stored (positions with zero centre of gravity): every method speaks of the subspace.
/// Per-sample coefficients are `[B]` tensors, so that gradients can flow into a learned noise schedule.
pub trait Euclidean: Batched + Clone {
    /// a·self + b·other, sample by sample; a and b are `[B]`.
    ///
    /// # Errors
    /// When layouts or shapes differ.
    fn combine(&self, a: &Tensor, other: &Self, b: &Tensor) -> Result<Self>;

    /// A standard normal draw in the space of each sample of `self`, whose values are not read.
    ///
    /// # Errors
    /// When a recording does not fit.
    fn gaussian(&self, noise: Noise) -> Result<Self>;

    /// The squared norm of each sample, `[B]`, differentiable.
    ///
    /// # Errors
    /// When the device refuses.
    fn squared_norms(&self) -> Result<Tensor>;

    /// The dimension of each sample's space, `[B]` numbers.
    fn dimensions(&self) -> Vec<usize>;

    /// The same values without their graph: no gradient passes.
    #[must_use]
    fn detached(&self) -> Self;
}

/// The direct sum of the parts' spaces: norms and dimensions add up, and each part draws from a stream of its own.
macro_rules! direct_sum {
    ($($part:ident $at:tt),+) => {
        impl<$($part: Euclidean),+> Euclidean for ($($part,)+) {
            fn combine(&self, a: &Tensor, other: &Self, b: &Tensor) -> Result<Self> {
                Ok(($(self.$at.combine(a, &other.$at, b)?,)+))
            }

            fn gaussian(&self, noise: Noise) -> Result<Self> {
                let streams = noise.steps();
                Ok(($(self.$at.gaussian(streams.at($at))?,)+))
            }

            fn squared_norms(&self) -> Result<Tensor> {
                let parts = [$(self.$at.squared_norms()?),+];
                Ok(Tensor::stack(&parts, 0)?.sum(0)?)
            }

            fn dimensions(&self) -> Vec<usize> {
                let parts = [$(self.$at.dimensions()),+];
                (0..parts[0].len()).map(|sample| parts.iter().map(|part| part[sample]).sum()).collect()
            }

            fn detached(&self) -> Self {
                ($(self.$at.detached(),)+)
            }
        }
    };
}
direct_sum!(A 0, B 1);
direct_sum!(A 0, B 1, C 2);
