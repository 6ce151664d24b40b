//! The path of score models.

use super::{Coefficients, Path};
use crate::{Error, Result};

/// α = 1 and σ = lowest·(highest/lowest)ᵗ: t is linear in log σ, which is what networks of this family see of the time.
/// Sampling starts from normals of the highest deviation.
///
/// # Source
/// Song et al., arXiv 2011.13456; Karras et al., arXiv 2206.00364, whose σ from 0.002 to 80 is the default, for data of unit scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VarianceExploding {
    lowest: f64,
    highest: f64,
}

impl VarianceExploding {
    /// σ from `lowest` at t = 0 to `highest` at t = 1.
    ///
    /// # Errors
    /// [`Error::Config`] unless 0 < lowest < highest, both finite.
    pub fn new(lowest: f64, highest: f64) -> Result<Self> {
        if lowest > 0.0 && lowest < highest && highest.is_finite() {
            return Ok(Self { lowest, highest });
        }
        Err(Error::Config(format!("noise from σ = {lowest} to {highest} is no path; give 0 < lowest < highest, such as 0.002 and 80")))
    }
}

impl Default for VarianceExploding {
    fn default() -> Self {
        Self { lowest: 0.002, highest: 80.0 }
    }
}

impl Path for VarianceExploding {
    fn at(&self, t: f64) -> Coefficients {
        let growth = (self.highest / self.lowest).ln();
        let sigma = self.lowest * (growth * t).exp();
        Coefficients { alpha: 1.0, sigma, alpha_rate: 0.0, sigma_rate: growth * sigma }
    }
}
