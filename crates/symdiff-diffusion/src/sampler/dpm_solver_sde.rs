//! The two-step sampler with noise.

use super::dpm_solver::Past;
use super::{NoiseField, Sampler, Span};
use crate::prediction::mixed;
use crate::{Clean, Result};
use symdiff_ops::{Euclidean, Noise};

/// SDE-DPM-Solver++(2M): z_s = σ_s/σ_t·e⁻ʰ·z_t + α_s·(1 − e⁻²ʰ)·D + σ_s·√(1 − e⁻²ʰ)·ε, with h and D as in [`DpmSolver`](crate::DpmSolver). It solves the reverse
/// diffusion, whose noise corrects errors of earlier steps, at one call of the denoiser a step.
///
/// # Source
/// Lu et al., arXiv 2211.01095, section 6 and appendix.
#[derive(Clone, Copy, Debug, Default)]
pub struct DpmSolverSde;

impl<S: Euclidean> Sampler<S> for DpmSolverSde {
    type Memory = Option<Past<S>>;

    fn step(&self, field: &NoiseField<S>, span: Span, z: &S, past: Option<Past<S>>, noise: Noise) -> Result<(S, Option<Past<S>>)> {
        let [kernel, fresh] = noise.split();
        let [t, s] = span.levels(field, z)?;
        let gap = (&t.gamma - &s.gamma)?;
        let now = Past::new(field.eps(z, span.from, kernel)?.clean(z, &t)?, &t);
        let Clean(target) = now.target(past, span, &gap)?;
        let (kept, forgotten) = ((&gap * -0.5)?.exp()?, gap.neg()?.exp()?.affine(-1.0, 1.0)?);
        let mean = mixed(z, &(kept * (&s.sigma / &t.sigma)?)?, &target, &(&forgotten * s.alpha)?)?;
        let added = (forgotten.sqrt()? * s.sigma)?;
        Ok((mixed(&mean, &added.ones_like()?, &z.gaussian(fresh)?, &added)?, Some(now)))
    }
}
