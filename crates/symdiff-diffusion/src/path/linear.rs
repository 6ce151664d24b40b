//! The path of flow matching.

use super::{Coefficients, Path};
use crate::{Error, Result};

/// α = 1 − τ and σ = τ, where τ = margin + (1 − 2·margin)·t: a straight line from data to noise without its two ends, at which α or σ is zero and data or noise
/// cannot be computed from each other.
///
/// # Source
/// Lipman et al., arXiv 2210.02747; Liu et al., arXiv 2209.03003.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearPath {
    margin: f64,
}

impl LinearPath {
    /// The line without its first and last `margin`.
    ///
    /// # Errors
    /// [`Error::Config`] unless 0 < margin < ½.
    pub fn new(margin: f64) -> Result<Self> {
        if margin > 0.0 && margin < 0.5 {
            return Ok(Self { margin });
        }
        Err(Error::Config(format!(
            "a linear path cannot stop {margin} short of its ends; give a margin above 0 and below 0.5, such as 0.001"
        )))
    }
}

impl Default for LinearPath {
    /// A margin of 0.001.
    fn default() -> Self {
        Self { margin: 1e-3 }
    }
}

impl Path for LinearPath {
    fn at(&self, t: f64) -> Coefficients {
        let rate = 1.0 - 2.0 * self.margin;
        let sigma = self.margin + rate * t;
        Coefficients { alpha: 1.0 - sigma, sigma, alpha_rate: -rate, sigma_rate: rate }
    }
}
