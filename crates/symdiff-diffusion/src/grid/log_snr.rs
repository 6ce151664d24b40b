//! Times evenly spaced in log SNR.

use super::Grid;
use crate::path::time_at;
use crate::{Path, Result};

/// log SNR falls by the same amount at every step: steps of solvers that are exact in it, such as [`DpmSolver`](crate::DpmSolver), are all as long.
///
/// # Source
/// Lu et al., arXiv 2206.00927, appendix E.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UniformLogSnr;

impl Grid for UniformLogSnr {
    fn times(&self, path: &dyn Path, steps: usize) -> Result<Vec<f64>> {
        let [clean, noisy] = [path.log_snr(0.0), path.log_snr(1.0)];
        let inner = (1..steps).map(|k| time_at(path, noisy + (clean - noisy) * k as f64 / steps as f64));
        Ok(std::iter::once(1.0).chain(inner).chain([0.0]).collect())
    }
}
