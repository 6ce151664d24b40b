//! The forward process, and all that follows from its log-SNR.

use crate::time::coefficient;
use crate::{Result, Schedule, Times};
use candle_core::{DType, Device, Tensor};
use symdiff_ops::Euclidean;

/// A variance-preserving diffusion over T steps: z_t = α_t·x + σ_t·ε, α² = sigmoid(log SNR), σ² = sigmoid(−log SNR).
#[derive(Clone, Debug)]
pub struct Process<Q> {
    schedule: Q,
    steps: usize,
}

/// The levels of a batch's times, each `[B]` in f64.
#[derive(Clone, Debug)]
pub struct Levels {
    /// γ = −log SNR.
    pub gamma: Tensor,
    /// α.
    pub alpha: Tensor,
    /// σ.
    pub sigma: Tensor,
}

impl Levels {
    /// SNR(s)/SNR(t) − 1, the weight of the variational bound, where `earlier` holds the levels of s < t.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn snr_ratio_less_one(&self, earlier: &Self) -> Result<Tensor> {
        Ok(((&self.gamma - &earlier.gamma)?.exp()? - 1.0)?)
    }

    /// σ²_{t|s} = 1 − α²_t/α²_s = 1 − exp(softplus(γ_s) − softplus(γ_t)), the variance of z_t given z_s, where `earlier` holds the levels of s < t.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn variance_given(&self, earlier: &Self) -> Result<Tensor> {
        Ok((softplus(&earlier.gamma)? - softplus(&self.gamma)?)?.exp()?.affine(-1.0, 1.0)?)
    }
}

/// log(1 + eˣ).
fn softplus(x: &Tensor) -> Result<Tensor> {
    Ok((x.relu()? + (x.abs()?.neg()?.exp()? + 1.0)?.log()?)?)
}

impl<Q: Schedule> Process<Q> {
    /// A process of `steps` steps.
    ///
    /// # Errors
    /// [`crate::Error::Config`] when there is no step.
    pub fn new(schedule: Q, steps: usize) -> Result<Self> {
        if steps == 0 {
            return Err(crate::Error::Config("a process needs at least one step".into()));
        }
        Ok(Self { schedule, steps })
    }

    /// T.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The schedule.
    pub fn schedule(&self) -> &Q {
        &self.schedule
    }

    /// Levels at each sample's time.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn levels(&self, times: &Times, samples: usize, device: &Device) -> Result<Levels> {
        let Levels { gamma, alpha, sigma } = self.levels_at_hand(times, samples, device)?;
        Ok(Levels { gamma: gamma.to_device(device)?, alpha: alpha.to_device(device)?, sigma: sigma.to_device(device)? })
    }

    /// Levels where the schedule gives them: on the CPU, unless it is learned.
    fn levels_at_hand(&self, times: &Times, samples: usize, device: &Device) -> Result<Levels> {
        let gamma = self.schedule.log_snrs(&times.per_sample(samples), device)?.neg()?;
        let root = |x: &Tensor| -> Result<Tensor> { Ok((x.exp()? + 1.0)?.recip()?.sqrt()?) };
        Ok(Levels { alpha: root(&gamma)?, sigma: root(&gamma.neg()?)?, gamma })
    }

    /// z_t = α·clean + σ·eps.
    ///
    /// # Errors
    /// When layouts differ.
    pub fn diffuse<S: Euclidean>(&self, clean: &S, levels: &Levels, eps: &S) -> Result<S> {
        Ok(clean.combine(&coefficient(&levels.alpha, clean.dtype())?, eps, &coefficient(&levels.sigma, clean.dtype())?)?)
    }

    /// KL(q(z_T | clean) ‖ N(0, 1)) a sample, `[B]` in f64: D·(−log σ + (σ² − 1)/2) + |α·clean|²/2 in D dimensions.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn prior_kl<S: Euclidean>(&self, clean: &S) -> Result<Tensor> {
        let device = clean.device();
        let Levels { alpha, sigma, .. } = self.levels_at_hand(&Times::Shared(1.0), clean.samples().len(), &device)?;
        let spread = ((sigma.sqr()? * 0.5)? - sigma.log()?)?.affine(1.0, -0.5)?;
        let spread = (spread * dimensions(clean, sigma.device())?)?.to_device(&device)?;
        let mean = (clean.squared_norms()?.to_dtype(DType::F64)? * (alpha.sqr()? * 0.5)?.to_device(&device)?)?;
        Ok((spread + mean)?)
    }
}

/// D of each sample, `[B]` in f64.
pub(crate) fn dimensions<S: Euclidean>(like: &S, device: &Device) -> Result<Tensor> {
    let dimensions: Vec<f64> = like.dimensions().into_iter().map(|d| d as f64).collect();
    Ok(Tensor::new(dimensions, device)?)
}

/// |a − b|² a sample, `[B]` in f64.
pub(crate) fn squared_error<S: Euclidean>(a: &S, b: &S) -> Result<Tensor> {
    let one = Tensor::ones(a.samples().len(), a.dtype(), &a.device())?;
    Ok(a.combine(&one, b, &one.neg()?)?.squared_norms()?.to_dtype(DType::F64)?)
}
