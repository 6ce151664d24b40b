//! What no group moves.

use crate::{Action, Group, Observe, Result};
use candle_core::{DType, Device};
use symdiff_ops::{Batched, Samples};

/// Conditioning, times, labels: every group acts on it trivially.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed<T>(pub T);

impl<G: Group, T: Clone> Action<G> for Fixed<T> {
    fn act(&self, _: &G, _: &G::Element) -> Result<Self> {
        Ok(self.clone())
    }
}

impl<T: Batched> Batched for Fixed<T> {
    fn samples(&self) -> Samples {
        self.0.samples()
    }

    fn device(&self) -> Device {
        self.0.device()
    }

    fn dtype(&self) -> DType {
        self.0.dtype()
    }
}

impl Observe for Fixed<candle_core::Tensor> {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        super::observed(&self.0)
    }
}
