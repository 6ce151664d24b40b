//! Index tensors of a layout, on every device that used it.

use crate::Result;
use candle_core::{Device, Tensor};
use std::sync::{Mutex, PoisonError};

/// `K` tensors, uploaded at first use; two openings of one GPU, each with a stream of its own, are two devices.
#[derive(Debug, Default)]
pub(crate) struct Uploads<const K: usize>(Mutex<Vec<(Device, [Tensor; K])>>);

impl<const K: usize> Uploads<K> {
    /// The tensors on `device`; made there by `make` the first time.
    pub(crate) fn on(&self, device: &Device, make: impl FnOnce() -> Result<[Tensor; K]>) -> Result<[Tensor; K]> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, tensors)) = all.iter().find(|(place, _)| place.same_device(device)) {
            return Ok(tensors.clone());
        }
        let tensors = make()?;
        all.push((device.clone(), tensors.clone()));
        Ok(tensors)
    }
}

/// Places as the kernels index, u32.
pub(crate) fn places(values: &[usize], device: &Device) -> Result<Tensor> {
    let values: Vec<u32> = values.iter().map(|&value| value as u32).collect();
    let count = values.len();
    Ok(Tensor::from_vec(values, count, device)?)
}
