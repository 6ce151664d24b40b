//! Paths: the amounts of data and noise at each time.

mod levels;
mod linear;
mod variance_exploding;
mod variance_preserving;

pub use levels::Levels;
pub use linear::LinearPath;
pub use variance_exploding::VarianceExploding;
pub use variance_preserving::VariancePreserving;

use crate::Result;
use candle_core::{Device, Tensor};

/// A path from data at t = 0 to noise at t = 1: z_t = α(t)·x + σ(t)·ε, with α/σ falling. Every prediction, sampler and weight follows from it.
///
/// A path of your own is [`at`](Self::at); both numbers stay above 0 on \[0, 1\], ends included, so that data and noise can be read off each other anywhere.
///
/// ```
/// use symdiff_diffusion::{Coefficients, Path, Process};
///
/// /// A quarter turn from data to noise, a hundredth short at both ends.
/// struct Trigonometric;
///
/// impl Path for Trigonometric {
///     fn at(&self, t: f64) -> Coefficients {
///         let rate = std::f64::consts::FRAC_PI_2 - 0.02;
///         let (sin, cos) = (0.01 + rate * t).sin_cos();
///         Coefficients { alpha: cos, sigma: sin, alpha_rate: -rate * sin, sigma_rate: rate * cos }
///     }
/// }
/// # fn main() -> symdiff_diffusion::Result<()> {
/// let process = Process::continuous(Trigonometric, 50)?;
/// assert!(process.path().log_snr(0.5).abs() < 1e-12);
/// # Ok(()) }
/// ```
pub trait Path: Send + Sync {
    /// α, σ and their derivatives at t in \[0, 1\].
    fn at(&self, t: f64) -> Coefficients;

    /// log(α²/σ²) at t.
    fn log_snr(&self, t: f64) -> f64 {
        let Coefficients { alpha, sigma, .. } = self.at(t);
        2.0 * (alpha.ln() - sigma.ln())
    }

    /// The levels of many times, `[B]` in f64: on `device` and with a graph where the path is learned, else on the CPU, since computing a few numbers there takes
    /// less than the launch latency of a GPU.
    ///
    /// # Errors
    /// When the device refuses.
    fn levels(&self, times: &[f64], _device: &Device) -> Result<Levels> {
        let row = |of: &dyn Fn(Coefficients) -> f64| Tensor::from_iter(times.iter().map(|&t| of(self.at(t))), &Device::Cpu);
        let gamma: Vec<f64> = times.iter().map(|&t| -self.log_snr(t)).collect();
        Ok(Levels { gamma: Tensor::new(gamma, &Device::Cpu)?, alpha: row(&|at| at.alpha)?, sigma: row(&|at| at.sigma)? })
    }

    /// σ²_{t|s} = σ²_t·(1 − SNR(t)/SNR(s)), the variance of z_t given z_s for s < t, `[B]` in f64.
    ///
    /// # Errors
    /// When the device refuses.
    fn variance_given(&self, later: &Levels, earlier: &Levels) -> Result<Tensor> {
        let left = (&earlier.gamma - &later.gamma)?.exp()?.affine(-1.0, 1.0)?;
        Ok((later.sigma.sqr()? * left)?)
    }

    /// The direction of travel as a combination a·x + b·ε with a² + b² = 1: (α′, σ′) over its length, `[B]` each in f64. `levels` holds those of `times`.
    ///
    /// # Errors
    /// When the device refuses.
    fn direction(&self, times: &[f64], levels: &Levels) -> Result<[Tensor; 2]> {
        let row = |of: &dyn Fn(Coefficients) -> f64| -> Result<Tensor> {
            let parts = times.iter().map(|&t| {
                let at = self.at(t);
                of(at) / at.alpha_rate.hypot(at.sigma_rate)
            });
            Ok(Tensor::from_iter(parts, &Device::Cpu)?.to_device(levels.alpha.device())?)
        };
        Ok([row(&|at| at.alpha_rate)?, row(&|at| at.sigma_rate)?])
    }

    /// The standard deviation of the noise that sampling starts from, in place of z_1.
    fn start(&self) -> f64 {
        self.at(1.0).sigma
    }
}

/// The time at which the log-SNR falls to `log_snr`, to the last bit of t; an end where it lies beyond.
pub(crate) fn time_at(path: &dyn Path, log_snr: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    if path.log_snr(low) <= log_snr {
        return low;
    }
    if path.log_snr(high) >= log_snr {
        return high;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if path.log_snr(middle) > log_snr {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// A path's numbers at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficients {
    /// α.
    pub alpha: f64,
    /// σ.
    pub sigma: f64,
    /// dα/dt.
    pub alpha_rate: f64,
    /// dσ/dt.
    pub sigma_rate: f64,
}
