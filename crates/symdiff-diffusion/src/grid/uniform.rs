//! Evenly spaced times.

use super::Grid;
use crate::{Path, Result};

/// t = k/K.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uniform;

impl Grid for Uniform {
    fn times(&self, _: &dyn Path, steps: usize) -> Result<Vec<f64>> {
        Ok((0..=steps).rev().map(|k| k as f64 / steps as f64).collect())
    }
}
