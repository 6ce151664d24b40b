//! The first-order sampler with as much fresh noise as is asked for.

use super::{NoiseField, Sampler, Span};
use crate::prediction::mixed;
use crate::{Clean, Result};
use symdiff_ops::{Euclidean, Noise};

/// z_s = σ_s/σ_t·e^(−c·h)·z_t + α_s·(1 − e^(−(1+c)·h))·x̂ + σ_s·√(1 − e^(−2c·h))·ε, with h = ½·(log SNR(s) − log SNR(t)) and the predicted data x̂. Of the noise
/// in z_t the factor e^(−c·h) is kept, the rest is drawn anew.
///
/// With c = 0 this is [`Ddim`](crate::Ddim), with c = 1 it has the moments of [`Ancestral`](crate::Ancestral), and for large c each step noises the prediction afresh. At
/// any c it solves a reverse diffusion with the marginals of the process, exactly for data that are one point, so no c makes a step unstable; errors of earlier
/// steps are forgotten at the rate c. Where c·h is large the variance that the data have given z_t is lost, so samples lie nearer to the modes
/// of the data than the data do.
///
/// # Source
/// Song et al., arXiv 2010.02502, equation 12, with their σ² = σ_s²·(1 − e^(−2c·h)), which exceeds that of η = 1 for c > 1; Xue et al., arXiv 2309.05019, whose
/// τ² is c; Song et al., arXiv 2303.01469, algorithm 1, for c → ∞.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StochasticDdim {
    churn: f64,
}

impl StochasticDdim {
    /// The default of c: in up to a thousand steps nearly all noise is drawn anew in each. Up to 100 steps it was measured to be as good as 64, and better in 250 and 500 (docs/src/few-steps.md).
    pub const CHURN: f64 = 1000.0;

    /// With c = `churn`.
    ///
    /// # Errors
    /// [`crate::Error::Config`] when it is negative or not finite.
    pub fn new(churn: f64) -> Result<Self> {
        super::churned::check(churn).map(|()| Self { churn })
    }
}

impl Default for StochasticDdim {
    /// With c = [`StochasticDdim::CHURN`].
    fn default() -> Self {
        Self { churn: Self::CHURN }
    }
}

impl<S: Euclidean> Sampler<S> for StochasticDdim {
    type Memory = ();

    fn step(&self, field: &NoiseField<S>, span: Span, z: &S, (): (), noise: Noise) -> Result<(S, ())> {
        let [kernel, fresh] = noise.split();
        let [t, s] = span.levels(field, z)?;
        let half_gap = ((&t.gamma - &s.gamma)? * 0.5)?;
        let decay = |rate: f64| (&half_gap * -rate)?.exp();
        let shortfall = |rate: f64| decay(rate)?.affine(-1.0, 1.0);
        let Clean(data) = field.eps(z, span.from, kernel)?.clean(z, &t)?;
        let kept = (decay(self.churn)? * (&s.sigma / &t.sigma)?)?;
        let mean = mixed(z, &kept, &data, &(shortfall(1.0 + self.churn)? * &s.alpha)?)?;
        let added = (shortfall(2.0 * self.churn)?.sqrt()? * &s.sigma)?;
        Ok((mixed(&mean, &added.ones_like()?, &z.gaussian(fresh)?, &added)?, ()))
    }
}
