//! Losses at any time of a path: score matching, velocity matching and flow matching are one squared error in different coordinates.

use super::{Coupling, Objective, TimeLaw, Weight, Weighting};
use crate::process::squared_error;
use crate::{At, Denoiser, Eps, Process, Result, Target, Times};
use candle_core::Tensor;
use symdiff_ops::{Euclidean, Noise};

/// w(t)·|y − ŷ|²/D, where y is the [`Target`] of data x and noise ε at a random time t, and ŷ what the denoiser's prediction amounts to.
///
/// Given z_t all targets are affine functions of ε, so that |y − ŷ|² = (dy/dε)²·|ε − ε̂|²: a loss may be measured in other coordinates than the network predicts.
/// What the network predicts is the business of [`Predicting`](crate::Predicting), [`Reading`](crate::Reading) or [`Preconditioned`](crate::Preconditioned).
///
/// Draws times, the coupling's noise, and the denoiser's own, in this order.
///
/// # Source
/// Kingma and Gao, arXiv 2303.00848; Lipman et al., arXiv 2210.02747, for the velocity on a linear path.
#[derive(Clone, Debug)]
pub struct Continuous<T, P> {
    /// The forward process.
    pub process: Process,
    /// The coordinates in which errors are taken.
    pub target: Target,
    /// The law of times.
    pub times: T,
    /// The weight w.
    pub weight: Weight,
    /// The joint law of data and noise.
    pub coupling: P,
    /// D: the dimension of each sample's space, or that of the batch's largest sample for all.
    pub weighting: Weighting,
}

impl<S: Euclidean, C: Clone, T: TimeLaw, P: Coupling<S, C>> Objective<S, C> for Continuous<T, P> {
    fn loss(&self, denoiser: &dyn Denoiser<S, C>, clean: &S, given: &C, noise: Noise) -> Result<Tensor> {
        let [times, pairs, kernel] = noise.split();
        let (process, samples, device) = (&self.process, clean.samples(), clean.device());
        let drawn = self.times.draw(process.path(), &samples, times)?;
        let factors: Vec<f64> = drawn.iter().map(|&t| self.times.factor(t)).collect();
        let time = Times::PerSample(drawn.into_iter().map(|t| process.nearest(t)).collect());
        let pair = self.coupling.pair(clean, given, pairs)?;
        let levels = process.levels(&time, samples.len(), &device)?;
        let state = process.diffuse(&pair.clean, &levels, &pair.eps)?;
        let scale = self.target.scale(process, &time, &levels)?;
        let weight = (self.weight.of_noise(&levels, &scale)? * Tensor::new(factors, scale.device())?)?;
        let Eps(prediction) = denoiser.sample(&At { state, time, given: pair.given }, kernel)?;
        let dimensions = Tensor::new(self.weighting.dimensions(clean), &device)?;
        Ok(((squared_error(&pair.eps, &prediction)? * weight)? / dimensions)?)
    }
}
