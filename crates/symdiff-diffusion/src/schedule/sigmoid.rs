//! The sigmoid schedule.

use super::{Schedule, Tabulated};
use crate::Result;

/// α² = (S(1) − S(t))/(S(1) − S(0)) with S(t) = 1/(1 + e^{−(start + t·(end − start))/τ}), squeezed into \[10⁻⁵, 1 − 10⁻⁵\]: noisier in the middle than
/// the cosine schedule, and gentler at both ends.
///
/// # Source
/// Jabri, Fleet and Chen, arXiv 2212.11972, section on noise schedules; start −3, end 3, τ = 1 unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmoid {
    /// Where on the curve t = 0 lies.
    pub start: f64,
    /// Where t = 1 lies; above `start`.
    pub end: f64,
    /// τ, what both are divided by.
    pub temperature: f64,
}

/// The distance of α² from 0 and 1.
const MARGIN: f64 = 1e-5;

impl Default for Sigmoid {
    fn default() -> Self {
        Self { start: -3.0, end: 3.0, temperature: 1.0 }
    }
}

impl Sigmoid {
    /// The table over `steps` steps.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) when α² leaves (0, 1), as it does where `end` is not above `start`.
    pub fn tabulated(self, steps: usize) -> Result<Tabulated> {
        let alphas: Vec<f64> = (0..=steps).map(|t| self.alpha_squared(t as f64 / steps as f64)).collect();
        Tabulated::from_alphas_squared(&alphas)
    }

    fn curve(self, t: f64) -> f64 {
        1.0 / (1.0 + (-(self.start + t * (self.end - self.start)) / self.temperature).exp())
    }

    fn alpha_squared(self, t: f64) -> f64 {
        let [first, here, last] = [0.0, t, 1.0].map(|t| self.curve(t));
        MARGIN + (1.0 - 2.0 * MARGIN) * (last - here) / (last - first)
    }
}

impl Schedule for Sigmoid {
    fn log_snr(&self, t: f64) -> f64 {
        let alpha = self.alpha_squared(t);
        alpha.ln() - (1.0 - alpha).ln()
    }

    fn slope(&self, t: f64) -> f64 {
        let [first, here, last] = [0.0, t, 1.0].map(|t| self.curve(t));
        let rate = here * (1.0 - here) * (self.end - self.start) / self.temperature;
        let alpha = self.alpha_squared(t);
        -(1.0 - 2.0 * MARGIN) * rate / (last - first) / (alpha * (1.0 - alpha))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_falls_from_data_to_noise_and_its_slope_is_its_derivative() {
        let sigmoid = Sigmoid::default();
        assert!((sigmoid.log_snr(0.0) + sigmoid.log_snr(1.0)).abs() < 1e-9, "start and end are symmetric");
        assert!(sigmoid.log_snr(0.5).abs() < 1e-12);
        for t in (1..100).map(|t| f64::from(t) / 100.0) {
            let differences = (sigmoid.log_snr(t + 1e-6) - sigmoid.log_snr(t - 1e-6)) / 2e-6;
            assert!(differences < 0.0 && (sigmoid.slope(t) / differences - 1.0).abs() < 1e-5, "at {t}");
        }
    }

    #[test]
    fn a_schedule_that_rises_is_refused() {
        let rising = Sigmoid { start: 3.0, end: 3.0, temperature: 1.0 };
        assert!(rising.tabulated(10).is_err());
    }
}
