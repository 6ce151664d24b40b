//! The paper's losses, at a time t drawn from 0, …, T.
//!
//! # Source
//! EDM, arXiv 2203.17003, equations 14 to 19, in the published code's form; the prior's KL, a constant, stays in.

use super::{Objective, Weighting};
use crate::process::squared_error;
use crate::time::fraction;
use crate::{At, Denoiser, Eps, Levels, Process, Reconstruction, Result, Times};
use candle_core::Tensor;
use symdiff_ops::{Euclidean, Noise};

/// ½·|ε − ε̂|² divided as the weighting says; at t = 0 the reconstruction term. Draws times, noise, and the denoiser's own, in this order.
#[derive(Clone, Debug)]
pub struct L2<R> {
    /// The forward process.
    pub process: Process,
    /// p(data | z₀).
    pub data: R,
    /// What errors are divided by.
    pub weighting: Weighting,
}

/// (T + 1)·(½·(SNR(s)/SNR(t) − 1)·|ε − ε̂|²), or the reconstruction term at t = 0; minus the constants of p(x | z₀): an estimate of the negative
/// log-likelihood. Draws as [`L2`] does.
#[derive(Clone, Debug)]
pub struct Vlb<R> {
    /// The forward process.
    pub process: Process,
    /// p(data | z₀).
    pub data: R,
}

impl<S: Euclidean, C: Clone, R: Reconstruction<S>> Objective<S, C> for L2<R> {
    fn loss(&self, denoiser: &dyn Denoiser<S, C>, clean: &S, given: &C, noise: Noise) -> Result<Tensor> {
        let normalisers = self.data.entries(clean, self.weighting == Weighting::Batch);
        let drawn = Drawn::new(&self.process, denoiser, clean, given, noise)?;
        let term = drawn.with_last(&self.data, clean, &normalisers, drawn.half_error(&normalisers)?)?;
        Ok((term + self.process.prior_kl(clean)?)?)
    }
}

impl<S: Euclidean, C: Clone, R: Reconstruction<S>> Objective<S, C> for Vlb<R> {
    fn loss(&self, denoiser: &dyn Denoiser<S, C>, clean: &S, given: &C, noise: Noise) -> Result<Tensor> {
        let (process, device) = (&self.process, clean.device());
        let drawn = Drawn::new(process, denoiser, clean, given, noise)?;
        let samples = drawn.steps.len();
        let normalisers = vec![1.0; samples];
        let before = drawn.steps.iter().map(|&t| fraction(f64::from(t.max(1)) - 1.0, process.steps())).collect();
        let earlier = process.levels(&Times::PerSample(before), samples, &device)?;
        let term = (drawn.half_error(&normalisers)? * drawn.levels.snr_ratio_less_one(&earlier)?)?;
        let term = drawn.with_last(&self.data, clean, &normalisers, term)?;
        let zero = process.levels(&Times::Shared(0.0), samples, &device)?;
        let constants = self.data.log_constants(clean, &zero)?;
        Ok(((term * (process.steps() + 1) as f64)? + process.prior_kl(clean)?)?.sub(&constants)?)
    }
}

/// Data with noise at random times, and the denoiser's prediction.
struct Drawn<S> {
    steps: Vec<u32>,
    levels: Levels,
    eps: S,
    z: S,
    prediction: S,
}

impl<S: Euclidean> Drawn<S> {
    fn new<C: Clone>(process: &Process, denoiser: &dyn Denoiser<S, C>, clean: &S, given: &C, noise: Noise) -> Result<Self> {
        let [times, gaussian, kernel] = noise.split();
        let total = process.steps();
        let steps = times.integers(&clean.samples(), 0..total as u32 + 1)?;
        let time = Times::PerSample(steps.iter().map(|&t| fraction(f64::from(t), total)).collect());
        let eps = clean.gaussian(gaussian)?;
        let levels = process.levels(&time, steps.len(), &clean.device())?;
        let z = process.diffuse(clean, &levels, &eps)?;
        let Eps(prediction) = denoiser.sample(&At { state: z.clone(), time, given: given.clone() }, kernel)?;
        Ok(Self { steps, levels, eps, z, prediction })
    }

    /// ½·|ε − ε̂|² over the normalisers.
    fn half_error(&self, normalisers: &[f64]) -> Result<Tensor> {
        let error = (squared_error(&self.eps, &self.prediction)? / Tensor::new(normalisers, &self.eps.device())?)?;
        Ok((error * 0.5)?)
    }

    /// `term` with the reconstruction term in its place at t = 0.
    fn with_last<R: Reconstruction<S>>(&self, data: &R, clean: &S, normalisers: &[f64], term: Tensor) -> Result<Tensor> {
        if !self.steps.contains(&0) {
            return Ok(term);
        }
        let last = data.log_likelihood(clean, &self.z, &self.eps, &self.prediction, &self.levels, normalisers)?.neg()?;
        let at_zero: Vec<u8> = self.steps.iter().map(|&t| u8::from(t == 0)).collect();
        Ok(Tensor::new(at_zero, &clean.device())?.where_cond(&last, &term)?)
    }
}

/// For the variational bound: ½·(SNR(s)/SNR(t) − 1) at integer times `drawn` ≥ 1, `[B]` in f64.
pub(crate) fn bound_weights(process: &Process, drawn: &[u32], device: &candle_core::Device) -> Result<Tensor> {
    let at = |shift: f64| Times::PerSample(drawn.iter().map(|&t| fraction(f64::from(t) - shift, process.steps())).collect());
    let [now, before] = [process.levels(&at(0.0), drawn.len(), device)?, process.levels(&at(1.0), drawn.len(), device)?];
    Ok((now.snr_ratio_less_one(&before)? * 0.5)?)
}
