//! Times crowded near the data.

use super::Grid;
use crate::{Path, Result};

/// t = 1 − cos(½·π·k/K): steps shrink towards the data, the last to about 1.2/K².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CosineGrid;

impl Grid for CosineGrid {
    fn times(&self, _: &dyn Path, steps: usize) -> Result<Vec<f64>> {
        let angle = |k: usize| std::f64::consts::FRAC_PI_2 * k as f64 / steps as f64;
        Ok(std::iter::once(1.0).chain((1..steps).rev().map(|k| 1.0 - angle(k).cos())).chain([0.0]).collect())
    }
}
