//! Laws of training times.

use crate::path::time_at;
use crate::{Error, Path, Result};
use candle_core::{DType, Device};
use symdiff_ops::{Noise, Samples};

/// A law of training times, one independent draw per sample.
pub trait TimeLaw {
    /// A time in \[0, 1\] for each sample.
    ///
    /// # Errors
    /// When a recording does not fit.
    fn draw(&self, path: &dyn Path, samples: &Samples, noise: Noise) -> Result<Vec<f64>>;

    /// What the loss at a time that was drawn is multiplied by: 1, where the law of times is a part of what is minimised.
    fn factor(&self, _t: f64) -> f64 {
        1.0
    }
}

impl<T: TimeLaw + ?Sized> TimeLaw for Box<T> {
    fn draw(&self, path: &dyn Path, samples: &Samples, noise: Noise) -> Result<Vec<f64>> {
        (**self).draw(path, samples, noise)
    }

    fn factor(&self, t: f64) -> f64 {
        (**self).factor(t)
    }
}

/// All times are equally likely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UniformTimes;

impl TimeLaw for UniformTimes {
    fn draw(&self, _: &dyn Path, samples: &Samples, noise: Noise) -> Result<Vec<f64>> {
        Ok(noise.uniform(samples, &[], DType::F64, &Device::Cpu)?.to_vec1()?)
    }
}

/// log(t/(1 − t)) is normal: times in the middle are likelier than those at the ends (Esser et al., arXiv 2403.03206).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogitNormal {
    law: Normal,
}

/// log(σ/α) is normal; draws beyond the path's ends count as the ends. Karras et al., arXiv 2206.00364, take mean −1.2 and deviation 1.2 for data of deviation ½.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogNormal {
    law: Normal,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Normal {
    mean: f64,
    deviation: f64,
}

impl Normal {
    fn new(mean: f64, deviation: f64) -> Result<Self> {
        if mean.is_finite() && deviation > 0.0 && deviation.is_finite() {
            return Ok(Self { mean, deviation });
        }
        Err(Error::Config(format!(
            "training times of mean {mean} and deviation {deviation} have no law; give finite numbers, the second above 0"
        )))
    }

    fn draw(self, samples: &Samples, noise: Noise) -> Result<impl Iterator<Item = f64>> {
        let drawn = noise.normal(samples, &[], DType::F64, &Device::Cpu)?.to_vec1::<f64>()?;
        Ok(drawn.into_iter().map(move |x| self.mean + self.deviation * x))
    }
}

impl LogitNormal {
    /// The law of that mean and deviation.
    ///
    /// # Errors
    /// [`Error::Config`] when they are not finite or the deviation is not above 0.
    pub fn new(mean: f64, deviation: f64) -> Result<Self> {
        Ok(Self { law: Normal::new(mean, deviation)? })
    }
}

impl Default for LogitNormal {
    /// Mean 0, deviation 1.
    fn default() -> Self {
        Self { law: Normal { mean: 0.0, deviation: 1.0 } }
    }
}

impl TimeLaw for LogitNormal {
    fn draw(&self, _: &dyn Path, samples: &Samples, noise: Noise) -> Result<Vec<f64>> {
        Ok(self.law.draw(samples, noise)?.map(|x| 1.0 / (1.0 + (-x).exp())).collect())
    }
}

impl LogNormal {
    /// The law of that mean and deviation of log(σ/α).
    ///
    /// # Errors
    /// [`Error::Config`] when they are not finite or the deviation is not above 0.
    pub fn new(mean: f64, deviation: f64) -> Result<Self> {
        Ok(Self { law: Normal::new(mean, deviation)? })
    }
}

impl Default for LogNormal {
    /// Mean −1.2, deviation 1.2.
    fn default() -> Self {
        Self { law: Normal { mean: -1.2, deviation: 1.2 } }
    }
}

impl TimeLaw for LogNormal {
    fn draw(&self, path: &dyn Path, samples: &Samples, noise: Noise) -> Result<Vec<f64>> {
        Ok(self.law.draw(samples, noise)?.map(|log_noise| time_at(path, -2.0 * log_noise)).collect())
    }
}
