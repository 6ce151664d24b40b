//! What training minimises.

mod aligners;
mod continuous;
mod coupling;
mod discrete;
mod importance;
mod times;
mod weight;

pub use aligners::{Assignment, Kabsch};
pub use continuous::Continuous;
pub use coupling::{Aligned, Coupled, Coupling, Independent, Turned};
pub(crate) use discrete::bound_weights;
pub use discrete::{L2, Vlb};
pub use importance::Importance;
pub use times::{LogNormal, LogitNormal, TimeLaw, UniformTimes};
pub use weight::Weight;

use crate::{Denoiser, Result};
use candle_core::Tensor;
use symdiff_ops::{Euclidean, Noise};

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

/// What the squared error of a sample is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighting {
    /// The number of entries of the batch's largest sample, for all: large samples weigh more. As published.
    Batch,
    /// Each sample's own number of entries.
    Sample,
}

impl Weighting {
    /// The dimension of each sample's space, or the largest of them for all.
    pub(crate) fn dimensions<S: Euclidean>(self, like: &S) -> Vec<f64> {
        let own = like.dimensions();
        let most = own.iter().copied().max().unwrap_or_default();
        own.into_iter().map(|d| if self == Self::Batch { most } else { d } as f64).collect()
    }
}
