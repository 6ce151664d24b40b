//! Diffusion time, from 0 (data) to 1 (noise).

use crate::Result;
use candle_core::{DType, Device, Tensor};

/// The times of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Times {
    /// All samples share one time, as in sampling: what depends on time alone is computed once.
    Shared(f64),
    /// One time per sample, as in training.
    PerSample(Vec<f64>),
}

impl Times {
    /// The times as `[1]` or `[B]`.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn tensor(&self, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        Tensor::new(self.values(), device)?.to_dtype(dtype)
    }

    /// One number, or one per sample.
    pub fn values(&self) -> &[f64] {
        match self {
            Self::Shared(time) => std::slice::from_ref(time),
            Self::PerSample(times) => times,
        }
    }

    /// One number per sample, for `samples` of them.
    pub fn per_sample(&self, samples: usize) -> Vec<f64> {
        match self {
            Self::Shared(time) => vec![*time; samples],
            Self::PerSample(times) => times.clone(),
        }
    }
}

/// Time t of T as a fraction; `steps` counts T.
pub(crate) fn fraction(t: f64, steps: usize) -> f64 {
    t / steps as f64
}

/// A `[B]` tensor of f64 in the type of a state.
pub(crate) fn coefficient(values: &Tensor, dtype: DType) -> Result<Tensor> {
    Ok(values.to_dtype(dtype)?)
}
