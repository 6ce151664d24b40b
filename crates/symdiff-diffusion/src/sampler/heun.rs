//! Heun's method along the noise.

use super::{NoiseField, Sampler, Span};
use crate::prediction::mixed;
use crate::{Eps, Levels, Result};
use candle_core::Tensor;
use symdiff_ops::{Euclidean, Noise};

/// The trapezoid rule for d(z/α) = ε̂·d(σ/α), the probability flow in its straightest coordinates: z_s/α_s = z_t/α_t + (σ_s/α_s − σ_t/α_t)·½·(ε̂_t + ε̂_s),
/// where ε̂_s is taken at the end of a step of [`Ddim`](crate::Ddim). Order 2 at two calls of the denoiser a step.
///
/// # Source
/// Karras et al., arXiv 2206.00364, algorithm 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heun;

impl<S: Euclidean> Sampler<S> for Heun {
    type Memory = ();

    fn step(&self, field: &NoiseField<S>, span: Span, z: &S, (): (), noise: Noise) -> Result<(S, ())> {
        let [first, second] = noise.split();
        let [t, s] = span.levels(field, z)?;
        let (kept, removed) = along_noise(&t, &s)?;
        let Eps(here) = field.eps(z, span.from, first)?;
        let ahead = mixed(z, &kept, &here, &removed)?;
        let Eps(there) = field.eps(&ahead, span.to, second)?;
        let half = (&removed * 0.5)?;
        let turned = mixed(&there, &half, &here, &half)?;
        Ok((mixed(z, &kept, &turned, &kept.ones_like()?)?, ()))
    }
}

/// α_s/α_t and α_s·(σ_s/α_s − σ_t/α_t) = −σ_s·(eʰ − 1), what z and ε̂ count for in a step along the noise.
pub(super) fn along_noise(t: &Levels, s: &Levels) -> Result<(Tensor, Tensor)> {
    let half_gap = ((&t.gamma - &s.gamma)? * 0.5)?;
    Ok(((&s.alpha / &t.alpha)?, ((half_gap.exp()? - 1.0)? * s.sigma.neg()?)?))
}
