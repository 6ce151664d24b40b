//! Times crowded around a level of noise.

use super::Grid;
use crate::path::time_at;
use crate::{Error, Path, Result};

/// log SNR takes the quantiles, evenly spaced in probability, of a logistic law that is cut off at the path's ends: most steps are taken around its location, and few
/// where the state is all noise or all data. As `scale` grows this becomes [`UniformLogSnr`](super::UniformLogSnr).
///
/// A location belongs to the data's unit of length. The default is one for molecules in ångströms: at a log SNR of 4 the noise is σ/α = 0.14 Å, where bond lengths
/// are told apart. docs/src/few-steps.md measures it.
///
/// # Source
/// This project's; Karras et al., arXiv 2206.00364, §5, choose the noise levels of *training* by such a law, normal in log σ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logistic {
    /// The log SNR, 2·ln(α/σ), around which steps are taken; 4 unless said otherwise.
    pub location: f64,
    /// The scale of the law in log SNR, above 0: half of the steps lie within 1.1 of it on either side. 2 unless said otherwise.
    pub scale: f64,
}

impl Default for Logistic {
    fn default() -> Self {
        Self { location: 4.0, scale: 2.0 }
    }
}

impl Logistic {
    /// The share of the law below a log SNR.
    fn share(self, log_snr: f64) -> f64 {
        1.0 / (1.0 + ((self.location - log_snr) / self.scale).exp())
    }

    /// The log SNR below which a share of the law lies.
    fn quantile(self, share: f64) -> f64 {
        self.location + self.scale * (share / (1.0 - share)).ln()
    }
}

impl Grid for Logistic {
    fn times(&self, path: &dyn Path, steps: usize) -> Result<Vec<f64>> {
        let Self { location, scale } = *self;
        if !(location.is_finite() && scale > 0.0 && scale.is_finite()) {
            let why = format!(
                "a logistic grid of location {location} and scale {scale} is none; give a log SNR, such as 4, and a scale above 0, such as 2"
            );
            return Err(Error::Config(why));
        }
        let [clean, noisy] = [self.share(path.log_snr(0.0)), self.share(path.log_snr(1.0))];
        // Fewer digits than this would be left to tell the steps apart.
        if clean - noisy < 1e-6 {
            let (from, to) = (path.log_snr(1.0), path.log_snr(0.0));
            let why = format!(
                "the path, of log SNR {from:.1} to {to:.1}, holds too little of a logistic grid of location {location} and scale {scale}; give a location between them, and a scale of at most a million"
            );
            return Err(Error::Config(why));
        }
        let inner = (1..steps).map(|k| time_at(path, self.quantile(noisy + (clean - noisy) * k as f64 / steps as f64)));
        Ok(std::iter::once(1.0).chain(inner).chain([0.0]).collect())
    }
}
