//! What training minimises.

mod discrete;

pub(crate) use discrete::bound_weights;
pub use discrete::{L2, Vlb, Weighting};

use crate::{Denoiser, Result};
use candle_core::Tensor;
use symdiff_ops::Noise;

/// A training loss. It holds the process that it noises data by, and whatever else it needs to know of the data.
pub trait Objective<S, C = ()> {
    /// The loss of each sample of `clean` given its condition, `[B]` in f64, differentiable in the denoiser and in a learned schedule.
    ///
    /// # Errors
    /// Whatever the denoiser returns.
    fn loss(&self, denoiser: &dyn Denoiser<S, C>, clean: &S, given: &C, noise: Noise) -> Result<Tensor>;
}

impl<S, C, O: Objective<S, C> + ?Sized> Objective<S, C> for Box<O> {
    fn loss(&self, denoiser: &dyn Denoiser<S, C>, clean: &S, given: &C, noise: Noise) -> Result<Tensor> {
        (**self).loss(denoiser, clean, given, noise)
    }
}
