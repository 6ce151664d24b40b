//! A deterministic step after a little more noise.

use super::heun::along_noise;
use super::{NoiseField, Sampler, Span};
use crate::path::time_at;
use crate::prediction::mixed;
use crate::{Eps, Error, Result};
use symdiff_ops::{Euclidean, Noise};

/// Karras' stochastic sampler: noise is added until σ/α is larger by the factor ((σ_t/α_t)/(σ_s/α_s))ᶜ, so that log(σ/α) grows by c times what the step will take off it;
/// from there a step of [`Ddim`](crate::Ddim) leads to s. The noise never passes that of t = 1. Errors of earlier steps are forgotten at a rate that c sets,
/// whatever the number of steps.
///
/// The paper adds the same share of σ at each of N steps instead; on a grid even in log σ that share is (σ_t/σ_s)ᶜ − 1.
///
/// # Source
/// Karras et al., arXiv 2206.00364, algorithm 2, without its second-order correction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StochasticEuler {
    churn: f64,
}

impl StochasticEuler {
    /// The default of c: half of what a step takes off is added first.
    pub const CHURN: f64 = 0.5;

    /// With c = `churn`.
    ///
    /// # Errors
    /// [`Error::Config`] when it is negative or not finite.
    pub fn new(churn: f64) -> Result<Self> {
        check(churn).map(|()| Self { churn })
    }
}

/// Refuses a churn that is none.
pub(super) fn check(churn: f64) -> Result<()> {
    if churn >= 0.0 && churn.is_finite() {
        return Ok(());
    }
    Err(Error::Config(format!("a churn of {churn} adds no noise; give 0 for none, or a positive number such as 0.5")))
}

impl Default for StochasticEuler {
    /// With c = [`StochasticEuler::CHURN`].
    fn default() -> Self {
        Self { churn: Self::CHURN }
    }
}

impl<S: Euclidean> Sampler<S> for StochasticEuler {
    type Memory = ();

    fn step(&self, field: &NoiseField<S>, span: Span, z: &S, (): (), noise: Noise) -> Result<(S, ())> {
        let [kernel, fresh] = noise.split();
        let (process, path) = (field.process(), field.process().path());
        let wanted = path.log_snr(span.from) - self.churn * (path.log_snr(span.to) - path.log_snr(span.from));
        let back = process.nearest(time_at(path, wanted.max(path.log_snr(1.0)))).max(span.from);
        let ([t, s], up) = (span.levels(field, z)?, field.levels(back, z)?);
        let variance = path.variance_given(&up, &t)?;
        let noisier = mixed(z, &(&up.alpha / &t.alpha)?, &z.gaussian(fresh)?, &variance.relu()?.sqrt()?)?;
        let Eps(prediction) = field.eps(&noisier, back, kernel)?;
        let (kept, removed) = along_noise(&up, &s)?;
        Ok((mixed(&noisier, &kept, &prediction, &removed)?, ()))
    }
}
