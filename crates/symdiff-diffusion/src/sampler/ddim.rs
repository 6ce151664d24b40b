//! The deterministic first-order sampler.

use super::heun::along_noise;
use super::{NoiseField, Sampler, Span};
use crate::prediction::mixed;
use crate::{Eps, Result};
use symdiff_ops::{Euclidean, Noise};

/// z_s = α_s/α_t·z_t − σ_s·(eʰ − 1)·ε̂, with h = ½·(log SNR(s) − log SNR(t)): the probability flow's exponential integrator of first order
/// (Song et al., arXiv 2010.02502, with η = 0). Draws nothing of its own, so few steps suffice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ddim;

impl<S: Euclidean> Sampler<S> for Ddim {
    type Memory = ();

    fn step(&self, field: &NoiseField<S>, span: Span, z: &S, (): (), noise: Noise) -> Result<(S, ())> {
        let [kernel] = noise.split();
        let [t, s] = span.levels(field, z)?;
        let Eps(prediction) = field.eps(z, span.from, kernel)?;
        let (kept, removed) = along_noise(&t, &s)?;
        Ok((mixed(z, &kept, &prediction, &removed)?, ()))
    }
}
