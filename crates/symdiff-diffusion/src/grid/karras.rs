//! Times by the noise's power.

use super::Grid;
use crate::path::time_at;
use crate::{Error, Path, Result};

/// (σ/α)^(1/ρ) falls by the same amount at every step: ρ = 1 spaces the noise evenly, a large ρ its logarithm.
///
/// # Source
/// Karras et al., arXiv 2206.00364, equation 5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Karras {
    /// ρ; 7 unless said otherwise.
    pub rho: f64,
}

impl Default for Karras {
    fn default() -> Self {
        Self { rho: 7.0 }
    }
}

impl Grid for Karras {
    fn times(&self, path: &dyn Path, steps: usize) -> Result<Vec<f64>> {
        let rho = self.rho;
        if !(rho > 0.0 && rho.is_finite()) {
            return Err(Error::Config(format!("a Karras grid with rho = {rho} is none; give a number above 0, such as 7")));
        }
        let power = |t: f64| (-0.5 * path.log_snr(t) / rho).exp();
        let [clean, noisy] = [power(0.0), power(1.0)];
        let log_snr = |k: usize| -2.0 * rho * (noisy + (clean - noisy) * k as f64 / steps as f64).ln();
        let inner = (1..steps).map(|k| time_at(path, log_snr(k)));
        Ok(std::iter::once(1.0).chain(inner).chain([0.0]).collect())
    }
}
