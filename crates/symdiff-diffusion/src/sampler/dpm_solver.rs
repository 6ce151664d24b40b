//! The deterministic two-step sampler.

use super::{NoiseField, Sampler, Span};
use crate::prediction::mixed;
use crate::{Clean, Levels, Result};
use candle_core::Tensor;
use symdiff_ops::{Euclidean, Noise};

/// DPM-Solver++(2M): z_s = σ_s/σ_t·z_t + α_s·(1 − e⁻ʰ)·D, with h = ½·(log SNR(s) − log SNR(t)) and D = x̂_t + h/(2·h′)·(x̂_t − x̂′), the clean
/// state extrapolated from the last two predictions; h′ and x̂′ belong to the step before. Second order in h at one call of the denoiser a step.
///
/// The first step has no past and the last extrapolates too far, since log SNR rises steeply near 0: both take D = x̂_t, which costs no order.
///
/// # Source
/// Lu et al., arXiv 2211.01095, algorithm 2.
#[derive(Clone, Copy, Debug, Default)]
pub struct DpmSolver;

/// What [`DpmSolver`] remembers of a step.
#[derive(Clone, Debug)]
pub struct Past<S> {
    clean: Clean<S>,
    gamma: Tensor,
}

impl<S: Euclidean> Sampler<S> for DpmSolver {
    type Memory = Option<Past<S>>;

    fn step(&self, field: &NoiseField<S>, span: Span, z: &S, past: Option<Past<S>>, noise: Noise) -> Result<(S, Option<Past<S>>)> {
        let [kernel] = noise.split();
        let [t, s] = span.levels(field, z)?;
        let gap = (&t.gamma - &s.gamma)?;
        let now = Past::new(field.eps(z, span.from, kernel)?.clean(z, &t)?, &t);
        let Clean(target) = now.target(past, span, &gap)?;
        let added = ((gap * -0.5)?.exp()?.affine(-1.0, 1.0)? * s.alpha)?;
        Ok((mixed(z, &(s.sigma / t.sigma)?, &target, &added)?, Some(now)))
    }
}

impl<S: Euclidean> Past<S> {
    pub(super) fn new(clean: Clean<S>, at: &Levels) -> Self {
        Self { clean, gamma: at.gamma.clone() }
    }

    /// D of the step over `span`, whose length is h = `gap`/2.
    pub(super) fn target(&self, before: Option<Self>, span: Span, gap: &Tensor) -> Result<Clean<S>> {
        match before.filter(|_| span.to > 0.0) {
            Some(before) => self.extrapolated(&before, gap),
            None => Ok(self.clean.clone()),
        }
    }

    /// x̂ + c·(x̂ − x̂′) with c = h/(2·h′), half a step ahead; `gap` = 2·h.
    fn extrapolated(&self, before: &Self, gap: &Tensor) -> Result<Clean<S>> {
        let ahead = (gap / ((&before.gamma - &self.gamma)? * 2.0)?)?;
        Ok(Clean(mixed(&self.clean.0, &(&ahead + 1.0)?, &before.clean.0, &ahead.neg()?)?))
    }
}
