//! Fixed schedules: as tables over the steps, and in closed form at all times.

use super::Schedule;
use crate::{Error, Result};

/// A table of log-SNRs at t = 0, 1/T, …, 1; other times take the nearest entry.
///
/// Entries are rounded to f32, as the published code stores them: the weights of the variational bound rest on their differences, so its numbers
/// can only be met with its rounding.
#[derive(Clone, Debug, PartialEq)]
pub struct Tabulated {
    log_snr: Vec<f64>,
}

impl Tabulated {
    /// The table of a sequence α²_0, …, α²_T.
    ///
    /// # Errors
    /// [`Error::Config`] when it is shorter than two entries or leaves (0, 1).
    pub fn from_alphas_squared(alphas: &[f64]) -> Result<Self> {
        if alphas.len() < 2 || !alphas.iter().all(|a| *a > 0.0 && *a < 1.0) {
            return Err(Error::Config("a schedule needs at least two values of α², all strictly between 0 and 1".into()));
        }
        Ok(Self { log_snr: alphas.iter().map(|a| -f64::from(((1.0 - a).ln() - a.ln()) as f32)).collect() })
    }

    /// The table of log-SNRs themselves, as a checkpoint stores them.
    ///
    /// # Errors
    /// [`Error::Config`] when it is shorter than two entries or holds a number that is not finite.
    pub fn from_log_snrs(log_snr: Vec<f64>) -> Result<Self> {
        if log_snr.len() < 2 || !log_snr.iter().all(|value| value.is_finite()) {
            return Err(Error::Config("a schedule needs at least two log-SNRs, all of them finite".into()));
        }
        Ok(Self { log_snr })
    }

    /// T.
    pub fn steps(&self) -> usize {
        self.log_snr.len() - 1
    }
}

impl Schedule for Tabulated {
    fn log_snr(&self, t: f64) -> f64 {
        let place = (t * self.steps() as f64).round().clamp(0.0, self.steps() as f64);
        self.log_snr[place as usize]
    }

    /// By differences between the entries on both sides of the nearest one.
    fn slope(&self, t: f64) -> f64 {
        let place = (t * self.steps() as f64).round().clamp(0.0, self.steps() as f64) as usize;
        let (low, high) = (place.saturating_sub(1), (place + 1).min(self.steps()));
        (self.log_snr[high] - self.log_snr[low]) * self.steps() as f64 / (high - low) as f64
    }
}

/// α²_t = (1 − (t/T)^p)², ratios of neighbours clipped to \[0.001, 1\], squeezed into \[s, 1 − s\] (EDM, arXiv 2203.17003, appendix B).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Polynomial {
    /// p.
    pub power: f64,
    /// s.
    pub precision: f64,
}

impl Polynomial {
    /// The table over `steps` steps.
    ///
    /// # Errors
    /// [`Error::Config`] when the precision leaves no room.
    pub fn tabulated(self, steps: usize) -> Result<Tabulated> {
        let raw = |t: usize| (1.0 - (t as f64 / steps as f64).powf(self.power)).powi(2);
        let mut product = 1.0;
        let alphas: Vec<f64> = (0..=steps)
            .map(|t| {
                let ratio = if t == 0 { raw(0) } else { raw(t) / raw(t - 1) };
                product *= ratio.clamp(0.001, 1.0);
                (1.0 - 2.0 * self.precision) * product + self.precision
            })
            .collect();
        Tabulated::from_alphas_squared(&alphas)
    }
}

/// Without steps: α² = (1 − 2·s)·(1 − tᵖ)² + s.
impl Schedule for Polynomial {
    fn log_snr(&self, t: f64) -> f64 {
        let alpha = self.alpha_squared(t);
        alpha.ln() - (1.0 - alpha).ln()
    }

    fn slope(&self, t: f64) -> f64 {
        let alpha = self.alpha_squared(t);
        let rate = -2.0 * (1.0 - 2.0 * self.precision) * (1.0 - t.powf(self.power)) * self.power * t.powf(self.power - 1.0);
        rate / (alpha * (1.0 - alpha))
    }
}

impl Polynomial {
    fn alpha_squared(self, t: f64) -> f64 {
        (1.0 - 2.0 * self.precision) * (1.0 - t.powf(self.power)).powi(2) + self.precision
    }
}

/// The cosine schedule (Nichol and Dhariwal, arXiv 2102.09672), with the products of 1 − β over T + 1 intervals and β clipped at 0.999.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cosine {
    /// The offset s; 0.008 unless said otherwise.
    pub offset: f64,
}

impl Default for Cosine {
    fn default() -> Self {
        Self { offset: 0.008 }
    }
}

impl Cosine {
    /// The table over `steps` steps.
    ///
    /// # Errors
    /// [`Error::Config`] when α² leaves (0, 1).
    pub fn tabulated(self, steps: usize) -> Result<Tabulated> {
        let angle = |i: usize| (i as f64 / (steps + 1) as f64 + self.offset) / (1.0 + self.offset) * std::f64::consts::FRAC_PI_2;
        let c = |i: usize| angle(i).cos().powi(2);
        let mut product = 1.0;
        let alphas: Vec<f64> = (0..=steps)
            .map(|i| {
                product *= 1.0 - (1.0 - c(i + 1) / c(i)).clamp(0.0, 0.999);
                product
            })
            .collect();
        Tabulated::from_alphas_squared(&alphas)
    }
}

/// Without steps: α² = cos²(θ(t))/cos²(θ(0)) with θ(t) = ½·π·(t + s)/(1 + s), squeezed into \[10⁻⁵, 1 − 10⁻⁵\].
impl Schedule for Cosine {
    fn log_snr(&self, t: f64) -> f64 {
        let (alpha, _) = self.alpha_squared(t);
        alpha.ln() - (1.0 - alpha).ln()
    }

    fn slope(&self, t: f64) -> f64 {
        let (alpha, rate) = self.alpha_squared(t);
        rate / (alpha * (1.0 - alpha))
    }
}

impl Cosine {
    /// α² at t and its derivative.
    fn alpha_squared(self, t: f64) -> (f64, f64) {
        let (room, turn) = (1.0 - 2e-5, std::f64::consts::FRAC_PI_2 / (1.0 + self.offset));
        let start = (turn * self.offset).cos().powi(2);
        let (sin, cos) = (turn * (t + self.offset)).sin_cos();
        (room * cos * cos / start + 1e-5, -2.0 * room * turn * sin * cos / start)
    }
}
