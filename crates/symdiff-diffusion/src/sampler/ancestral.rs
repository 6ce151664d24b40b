//! Ancestral sampling.

use super::{NoiseField, Sampler, Span};
use crate::time::coefficient;
use crate::{Eps, Result};
use candle_core::Tensor;
use symdiff_ops::{Euclidean, Noise};

/// z_s = z_t/α_{t|s} − σ²_{t|s}/(α_{t|s}·σ_t)·ε̂ + σ_{t|s}·σ_s/σ_t·ε (Ho et al., arXiv 2006.11239; EDM, equation 5).
///
/// With α_{t|s} = α_t/α_s and σ²_{t|s} of [`Path::variance_given`](crate::Path::variance_given).
#[derive(Clone, Copy, Debug, Default)]
pub struct Ancestral;

impl<S: Euclidean> Sampler<S> for Ancestral {
    type Memory = ();

    fn step(&self, field: &NoiseField<S>, span: Span, z: &S, (): (), noise: Noise) -> Result<(S, ())> {
        let [kernel, fresh] = noise.split();
        let samples = z.samples().len();
        let [t, s] = span.levels(field, z)?;
        let variance = field.process().path().variance_given(&t, &s)?;
        let alpha = (&t.alpha / &s.alpha)?;
        let Eps(prediction) = field.eps(z, span.from, kernel)?;
        let kept = coefficient(&alpha.recip()?, z.dtype())?;
        let removed = coefficient(&(&variance / (&alpha * &t.sigma)?)?.neg()?, z.dtype())?;
        let added = coefficient(&((variance.sqrt()? * &s.sigma)? / &t.sigma)?, z.dtype())?;
        let one = Tensor::ones(samples, z.dtype(), &z.device())?;
        let mean = z.combine(&kept, &prediction, &removed)?;
        Ok((mean.combine(&one, &z.gaussian(fresh)?, &added)?, ()))
    }
}
