//! Noise schedules: the signal-to-noise ratio at each time.

mod learned;
mod sigmoid;
mod tabulated;

pub use learned::LearnedSchedule;
pub use sigmoid::Sigmoid;
pub use tabulated::{Cosine, Polynomial, Tabulated};

use crate::Result;
use candle_core::{Device, Tensor};

/// A noise schedule: the log signal-to-noise ratio log(α²/σ²) as a function of time, decreasing. It is −γ(t) of the papers; α, σ, posteriors
/// and weights all follow from it.
///
/// A schedule of your own is [`log_snr`](Self::log_snr); give its derivative in closed form too where you have it.
pub trait Schedule: Send + Sync {
    /// log(α²/σ²) at t in \[0, 1\].
    fn log_snr(&self, t: f64) -> f64;

    /// d log(α²/σ²)/dt, which velocities and integrators that follow the path in t need; by differences over 2·10⁻⁵ unless a schedule knows better.
    fn slope(&self, t: f64) -> f64 {
        let (low, high) = ((t - 1e-5).max(0.0), (t + 1e-5).min(1.0));
        (self.log_snr(high) - self.log_snr(low)) / (high - low)
    }

    /// The log-SNRs of many times, `[B]` in f64: on `device` and with a graph where the schedule is learned, else on the CPU, since computing a few numbers there takes
    /// less than the launch latency of a GPU.
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

    fn slope(&self, t: f64) -> f64 {
        (**self).slope(t)
    }

    fn log_snrs(&self, times: &[f64], device: &Device) -> Result<Tensor> {
        (**self).log_snrs(times, device)
    }
}
