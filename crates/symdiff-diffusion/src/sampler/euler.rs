//! Euler's method along the path's own time.

use super::{NoiseField, Sampler, Span};
use crate::prediction::{mixed, same};
use crate::{Eps, Result};
use symdiff_ops::{Euclidean, Noise};

/// z_s = z_t + (s − t)·(α′·x̂ + σ′·ε̂), the flow of the path's time: order 1 for every path. On a linear path it is [`Ddim`](crate::Ddim), on others that is
/// the better method, since it integrates α and σ exactly.
///
/// # Source
/// Lipman et al., arXiv 2210.02747.
#[derive(Clone, Copy, Debug, Default)]
pub struct Euler;

impl<S: Euclidean> Sampler<S> for Euler {
    type Memory = ();

    fn step(&self, field: &NoiseField<S>, span: Span, z: &S, (): (), noise: Noise) -> Result<(S, ())> {
        let [kernel] = noise.split();
        let at = field.process().path().at(span.from);
        let Eps(prediction) = field.eps(z, span.from, kernel)?;
        let (step, stretch) = (span.to - span.from, at.alpha_rate / at.alpha);
        let [along, share] = [1.0 + step * stretch, step * (at.sigma_rate - stretch * at.sigma)];
        Ok((mixed(z, &same(along, z)?, &prediction, &same(share, z)?)?, ()))
    }
}
