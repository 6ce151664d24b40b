//! Recorded draws: golden vectors and coupled runs replace random numbers by their own.

use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A queue of draws, shared by all streams made from it.
#[derive(Clone, Debug, Default)]
pub struct Recording(Arc<Mutex<VecDeque<Tensor>>>);

impl Recording {
    /// Draws, in the order in which they will be taken.
    pub fn new(draws: impl IntoIterator<Item = Tensor>) -> Self {
        Self(Arc::new(Mutex::new(draws.into_iter().collect())))
    }

    /// The draws that are left, oldest first.
    pub fn draws(&self) -> Vec<Tensor> {
        self.queue().iter().cloned().collect()
    }

    /// The number of draws that are left.
    pub fn len(&self) -> usize {
        self.queue().len()
    }

    /// True when every draw has been taken.
    pub fn is_empty(&self) -> bool {
        self.queue().is_empty()
    }

    pub(super) fn push(&self, draw: Tensor) {
        self.queue().push_back(draw);
    }

    pub(super) fn next(&self, shape: &[usize], dtype: DType, device: &Device) -> Result<Tensor> {
        let draw =
            self.queue().pop_front().ok_or_else(|| Error::Recording(format!("no draw is left, but one of shape {shape:?} is wanted")))?;
        if draw.dims() != shape {
            return Err(Error::Recording(format!("the next draw has shape {:?}, but {shape:?} is wanted", draw.dims())));
        }
        Ok(draw.to_dtype(dtype)?.to_device(device)?)
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Tensor>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
