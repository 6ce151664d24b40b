//! The last step: from z₀ to data.

mod gaussian;

pub use gaussian::Gaussian;

use crate::{Levels, Result};
use candle_core::Tensor;
use symdiff_ops::Noise;

/// p(data | z₀): what the bound's last term needs to know of the data, and how to read a sample off.
///
/// [`Gaussian`] serves data without a discrete part. The continuous part x has the law N((z₀ − σ₀·ε̂)/α₀, σ₀²/α₀²); discrete features have the mass of a unit bin around their value.
/// All returned tensors are `[B]` in f64.
pub trait Reconstruction<S> {
    /// What sampling ends with.
    type Decoded;

    /// log p(data | z₀) without the normalising constant of the continuous part. The continuous part's squared error is divided by
    /// `normalisers`, one number per sample.
    ///
    /// # Errors
    /// When the device refuses.
    fn log_likelihood(&self, clean: &S, z0: &S, eps: &S, prediction: &S, zero: &Levels, normalisers: &[f64]) -> Result<Tensor>;

    /// The normalising constant of the continuous part, with the log-volume of its scaling taken off: add it to get log p(data | z₀) in the data's
    /// own units.
    ///
    /// # Errors
    /// When the device refuses.
    fn log_constants(&self, like: &S, zero: &Levels) -> Result<Tensor>;

    /// The number of entries each sample's error is summed over; with `longest`, that of the batch's largest sample for all.
    fn entries(&self, like: &S, longest: bool) -> Vec<f64>;

    /// Data from z₀ and the noise predicted in it.
    ///
    /// # Errors
    /// When the device refuses.
    fn decode(&self, z0: &S, prediction: &S, zero: &Levels, noise: Noise) -> Result<Self::Decoded>;
}

impl<S, R: Reconstruction<S>> Reconstruction<S> for &R {
    type Decoded = R::Decoded;

    fn log_likelihood(&self, clean: &S, z0: &S, eps: &S, prediction: &S, zero: &Levels, normalisers: &[f64]) -> Result<Tensor> {
        (**self).log_likelihood(clean, z0, eps, prediction, zero, normalisers)
    }

    fn log_constants(&self, like: &S, zero: &Levels) -> Result<Tensor> {
        (**self).log_constants(like, zero)
    }

    fn entries(&self, like: &S, longest: bool) -> Vec<f64> {
        (**self).entries(like, longest)
    }

    fn decode(&self, z0: &S, prediction: &S, zero: &Levels, noise: Noise) -> Result<Self::Decoded> {
        (**self).decode(z0, prediction, zero, noise)
    }
}
