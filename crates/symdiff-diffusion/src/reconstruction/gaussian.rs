//! Data with nothing discrete in it.

use super::Reconstruction;
use crate::prediction::mixed;
use crate::process::{dimensions, squared_error};
use crate::{Clean, Eps, Levels, Result, Weighting};
use candle_core::Tensor;
use symdiff_ops::{Euclidean, Noise};

/// p(x | z₀) = N((z₀ − σ₀·ε̂)/α₀, σ₀²/α₀²) for every entry of a continuous state, which is `scale` times smaller than the data it stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gaussian {
    /// What a state is multiplied by to be data. It counts in likelihoods alone: states are decoded as they are.
    pub scale: f64,
}

impl Default for Gaussian {
    fn default() -> Self {
        Self { scale: 1.0 }
    }
}

impl<S: Euclidean> Reconstruction<S> for Gaussian {
    type Decoded = S;

    fn log_likelihood(&self, _: &S, _: &S, eps: &S, prediction: &S, _: &Levels, normalisers: &[f64]) -> Result<Tensor> {
        Ok((squared_error(eps, prediction)? * -0.5)?.div(&Tensor::new(normalisers, &eps.device())?)?)
    }

    fn log_constants(&self, like: &S, zero: &Levels) -> Result<Tensor> {
        let per_dimension = zero.gamma.affine(-0.5, -0.5 * std::f64::consts::TAU.ln() - self.scale.ln())?;
        Ok((per_dimension * dimensions(like, &like.device())?)?)
    }

    fn entries(&self, like: &S, longest: bool) -> Vec<f64> {
        if longest { Weighting::Batch } else { Weighting::Sample }.dimensions(like)
    }

    fn decode(&self, z0: &S, prediction: &S, zero: &Levels, noise: Noise) -> Result<S> {
        let Clean(mean) = Eps(prediction.clone()).clean(z0, zero)?;
        mixed(&mean, &zero.alpha.ones_like()?, &z0.gaussian(noise)?, &(&zero.sigma / &zero.alpha)?)
    }
}
