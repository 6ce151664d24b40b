//! Times as likely as their loss is large.

use super::{TimeLaw, Weight};
use crate::{Error, Path, Process, Result, Target, Times};
use candle_core::{DType, Device};
use symdiff_ops::{Noise, Samples};

/// Importance sampling of times: where the loss is large more draws fall, and each counts for less, so that the expected loss is that of
/// [`UniformTimes`](super::UniformTimes) and its variance is lower.
///
/// The density is ¼ + ¾·l(t)/∫l, constant on each of 1,000 bins, where l(t) = w(t)·(dy/dε)²·α²d²/(α²d² + σ²) is the loss that the best denoiser of normal data of deviation d
/// has for the weight and the target. It is a closed form rather than a running mean of losses: so a batch stays a function of its step, and a run is resumed without a state
/// of its own. The share of uniform times bounds every factor by 4, however far the loss of a network is from that form.
///
/// # Source
/// The adaptive law of Kingma and Gao, arXiv 2303.00848, section 3, with a loss in closed form in place of the running one; the uniform share is Hesterberg's defensive mixture
/// (Technometrics 37, 1995).
#[derive(Clone, Debug)]
pub struct Importance {
    /// The density of each bin.
    density: Vec<f64>,
    /// The probability of all times below each bin, and 1.
    below: Vec<f64>,
}

const BINS: usize = 1000;
/// The part of the draws that is uniform.
const UNIFORM: f64 = 0.25;

impl Importance {
    /// The law for a loss in `target` with that weight, on data whose entries have that standard deviation.
    ///
    /// # Errors
    /// [`Error::Config`] when the deviation is not above 0, or the loss is not finite somewhere on the path.
    pub fn new(process: &Process, target: Target, weight: Weight, deviation: f64) -> Result<Self> {
        if !(deviation > 0.0 && deviation.is_finite()) {
            return Err(Error::Config(format!("times by importance for data of deviation {deviation}; give a finite number above 0")));
        }
        let times = Times::PerSample((0..BINS).map(|bin| (bin as f64 + 0.5) / BINS as f64).collect());
        let levels = process.levels(&times, BINS, &Device::Cpu)?;
        let signal = (levels.alpha.sqr()? * deviation.powi(2))?;
        let error = (&signal / (&signal + levels.sigma.sqr()?)?)?;
        let weight = weight.of_noise(&levels, &target.scale(process, &times, &levels)?)?;
        let losses = (error * weight)?.to_vec1::<f64>()?;
        let mean = losses.iter().sum::<f64>() / BINS as f64;
        if !(mean > 0.0 && mean.is_finite()) {
            return Err(Error::Config(format!("times by importance need a loss above 0 and finite; its mean over the path is {mean}")));
        }
        let density: Vec<f64> = losses.iter().map(|loss| UNIFORM + (1.0 - UNIFORM) * loss / mean).collect();
        let mut below = vec![0.0];
        below.extend(density.iter().scan(0.0, |sum, density| {
            *sum += density / BINS as f64;
            Some(*sum)
        }));
        Ok(Self { density, below })
    }

    fn bin(t: f64) -> usize {
        ((t * BINS as f64) as usize).min(BINS - 1)
    }
}

impl TimeLaw for Importance {
    fn draw(&self, _: &dyn Path, samples: &Samples, noise: Noise) -> Result<Vec<f64>> {
        let uniform = noise.uniform(samples, &[], DType::F64, &Device::Cpu)?.to_vec1::<f64>()?;
        Ok(uniform
            .into_iter()
            .map(|u| {
                let bin = self.below.partition_point(|below| *below <= u).clamp(1, BINS) - 1;
                let within = (u - self.below[bin]) / (self.below[bin + 1] - self.below[bin]);
                (bin as f64 + within.clamp(0.0, 1.0 - f64::EPSILON)) / BINS as f64
            })
            .collect())
    }

    /// One over the density.
    fn factor(&self, t: f64) -> f64 {
        self.density[Self::bin(t)].recip()
    }
}
