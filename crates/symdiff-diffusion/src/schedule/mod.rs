//! How noisy each time is.

mod learned;
mod tabulated;

pub use learned::LearnedSchedule;
pub use tabulated::{Cosine, Polynomial, Tabulated};

use crate::Result;
use candle_core::{Device, Tensor};

/// A noise schedule: the log signal-to-noise ratio log(α²/σ²) as a function of time, decreasing. It is −γ(t) of the papers; α, σ, posteriors
/// and weights all follow from it.
pub trait Schedule {
    /// log(α²/σ²) at t in \[0, 1\].
    fn log_snr(&self, t: f64) -> f64;

    /// The same for many times, `[B]` in f64: on `device` and with a graph where the schedule is learned, else on the CPU, where levels follow
    /// from it in less time than a GPU takes to be asked.
    ///
    /// # Errors
    /// When the device refuses.
    fn log_snrs(&self, times: &[f64], _device: &Device) -> Result<Tensor> {
        let values: Vec<f64> = times.iter().map(|&t| self.log_snr(t)).collect();
        Ok(Tensor::new(values, &Device::Cpu)?)
    }
}

impl<Q: Schedule + ?Sized> Schedule for Box<Q> {
    fn log_snr(&self, t: f64) -> f64 {
        (**self).log_snr(t)
    }

    fn log_snrs(&self, times: &[f64], device: &Device) -> Result<Tensor> {
        (**self).log_snrs(times, device)
    }
}
