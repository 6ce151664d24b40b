//! What training minimises.

use crate::process::squared_error;
use crate::time::fraction;
use crate::{At, Denoiser, Eps, Process, Reconstruction, Result, Schedule, Times};
use candle_core::Tensor;
use symdiff_ops::{Euclidean, Noise};

/// The training loss of a sample, at a time t drawn from 0, …, T.
///
/// # Source
/// EDM, arXiv 2203.17003, equations 14 to 19, in the published code's form; the prior's KL, a constant, stays in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// ½·|ε − ε̂|² divided as the weighting says; at t = 0 the reconstruction term.
    L2(Weighting),
    /// (T + 1)·(½·(SNR(s)/SNR(t) − 1)·|ε − ε̂|²), or the reconstruction term at t = 0; minus the constants of p(x | z₀): an estimate of the
    /// negative log-likelihood.
    Vlb,
}

/// What the squared error of [`Objective::L2`] is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighting {
    /// The number of entries of the batch's largest sample, for all: large samples weigh more. As published.
    Batch,
    /// Each sample's own number of entries.
    Sample,
}

impl Objective {
    /// The loss of each sample, `[B]` in f64, differentiable in the denoiser and the schedule. Draws times, noise, and the denoiser's own, in this order.
    ///
    /// # Errors
    /// Whatever the denoiser returns.
    pub fn loss<S, Q, R>(self, process: &Process<Q>, data: &R, denoiser: &dyn Denoiser<S>, clean: &S, noise: Noise) -> Result<Tensor>
    where
        S: Euclidean,
        Q: Schedule,
        R: Reconstruction<S>,
    {
        let [times, gaussian, kernel] = noise.split();
        let steps = process.steps();
        let drawn = times.integers(&clean.samples(), 0..steps as u32 + 1)?;
        let times = Times::PerSample(drawn.iter().map(|&t| fraction(f64::from(t), steps)).collect());
        let eps = clean.gaussian(gaussian)?;
        let levels = process.levels(&times, drawn.len(), &clean.device())?;
        let z = process.diffuse(clean, &levels, &eps)?;
        let Eps(prediction) = denoiser.sample(&At { state: z.clone(), time: times }, kernel)?;

        let normalisers = match self {
            Self::L2(weighting) => data.entries(clean, weighting == Weighting::Batch),
            Self::Vlb => vec![1.0; drawn.len()],
        };
        let error = (squared_error(&eps, &prediction)? / Tensor::new(normalisers.clone(), &clean.device())?)?;
        let mut term = (error * 0.5)?;
        if self == Self::Vlb {
            let before: Vec<f64> = drawn.iter().map(|&t| fraction(f64::from(t.max(1)) - 1.0, steps)).collect();
            let earlier = process.levels(&Times::PerSample(before), drawn.len(), &clean.device())?;
            term = (term * levels.snr_ratio_less_one(&earlier)?)?;
        }
        if drawn.contains(&0) {
            let last = data.log_likelihood(clean, &z, &eps, &prediction, &levels, &normalisers)?.neg()?;
            let at_zero: Vec<u8> = drawn.iter().map(|&t| u8::from(t == 0)).collect();
            term = Tensor::new(at_zero, &clean.device())?.where_cond(&last, &term)?;
        }
        let prior = process.prior_kl(clean)?;
        if self != Self::Vlb {
            return Ok((term + prior)?);
        }
        let zero = process.levels(&Times::Shared(0.0), drawn.len(), &clean.device())?;
        let constants = data.log_constants(clean, &zero)?;
        Ok(((term * (steps + 1) as f64)? + prior)?.sub(&constants)?)
    }
}

/// For the variational bound: ½·(SNR(s)/SNR(t) − 1) at integer times `drawn` ≥ 1, `[B]` in f64.
pub(crate) fn bound_weights<Q: Schedule>(process: &Process<Q>, drawn: &[u32], device: &candle_core::Device) -> Result<Tensor> {
    let at = |shift: f64| Times::PerSample(drawn.iter().map(|&t| fraction(f64::from(t) - shift, process.steps())).collect());
    let [now, before] = [process.levels(&at(0.0), drawn.len(), device)?, process.levels(&at(1.0), drawn.len(), device)?];
    Ok((now.snr_ratio_less_one(&before)? * 0.5)?)
}
