//! How probable data are.

use crate::objective::bound_weights;
use crate::process::squared_error;
use crate::time::fraction;
use crate::{At, Denoiser, Eps, Process, Reconstruction, Result, Times};
use candle_core::Tensor;
use symdiff_ops::{Euclidean, Noise};

/// A one-draw estimate of −log p(data), term by term; each `[B]` in f64, in nats.
#[derive(Clone, Debug)]
pub struct Likelihood {
    /// KL of z_T's law from the standard normal.
    pub prior: Tensor,
    /// T·½·(SNR(s)/SNR(t) − 1)·|ε − ε̂|² at one time t of 1, …, T.
    pub diffusion: Tensor,
    /// −log p(data | z₀) without constants.
    pub reconstruction: Tensor,
    /// The constants: the normaliser of p(x | z₀), less the log-volume of its scaling.
    pub constants: Tensor,
}

impl Likelihood {
    /// Estimates the bound with two calls of the denoiser: at a random time, and at 0. Draws time, noise, the denoiser's own; then noise at 0 and the
    /// denoiser's own again.
    ///
    /// # Errors
    /// Whatever the denoiser returns.
    pub fn estimate<S, C, R>(process: &Process, data: &R, denoiser: &dyn Denoiser<S, C>, clean: &S, given: &C, noise: Noise) -> Result<Self>
    where
        S: Euclidean,
        C: Clone,
        R: Reconstruction<S>,
    {
        let [times, gaussian, kernel, gaussian_0, kernel_0] = noise.split();
        let (steps, samples, device) = (process.steps(), clean.samples(), clean.device());
        let drawn = times.integers(&samples, 1..steps as u32 + 1)?;
        let time = Times::PerSample(drawn.iter().map(|&t| fraction(f64::from(t), steps)).collect());
        let levels = process.levels(&time, drawn.len(), &device)?;
        let eps = clean.gaussian(gaussian)?;
        let z = process.diffuse(clean, &levels, &eps)?;
        let Eps(prediction) = denoiser.sample(&At { state: z, time, given: given.clone() }, kernel)?;
        let weights = (bound_weights(process, &drawn, &device)? * steps as f64)?;

        let zero = process.levels(&Times::Shared(0.0), drawn.len(), &device)?;
        let eps_0 = clean.gaussian(gaussian_0)?;
        let z_0 = process.diffuse(clean, &zero, &eps_0)?;
        let Eps(prediction_0) = denoiser.sample(&At { state: z_0.clone(), time: Times::Shared(0.0), given: given.clone() }, kernel_0)?;
        let ones = vec![1.0; drawn.len()];
        Ok(Self {
            prior: process.prior_kl(clean)?,
            diffusion: (weights * squared_error(&eps, &prediction)?)?,
            reconstruction: data.log_likelihood(clean, &z_0, &eps_0, &prediction_0, &zero, &ones)?.neg()?,
            constants: data.log_constants(clean, &zero)?,
        })
    }

    /// −log p(data | size), `[B]` in nats.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn total(&self) -> Result<Tensor> {
        Ok(((&self.prior + &self.diffusion)? + &self.reconstruction)?.sub(&self.constants)?)
    }
}
