//! T(n) is its own Lie algebra.

use super::{Shifts, Translations};
use crate::{LieGroup, MetricGroup, Result};
use candle_core::Tensor;

/// exp and log keep the vector, `[B, n]`.
impl LieGroup for Translations {
    fn dimension(&self) -> usize {
        self.n()
    }

    fn exp(&self, algebra: &Tensor) -> Result<Shifts> {
        self.element(algebra)
    }

    fn log(&self, g: &Shifts) -> Result<Tensor> {
        Ok(g.as_tensor().clone())
    }
}

/// The Euclidean distance.
impl MetricGroup for Translations {
    fn distance(&self, g: &Shifts, h: &Shifts) -> Result<Tensor> {
        Ok((g.as_tensor() - h.as_tensor())?.sqr()?.sum(1)?.sqrt()?)
    }
}
