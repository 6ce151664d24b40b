//! A path's numbers for a batch.

use crate::Result;
use candle_core::{Device, Tensor};

/// The levels of a batch's times, each `[B]` in f64.
#[derive(Clone, Debug)]
pub struct Levels {
    /// γ = −log SNR = 2·log(σ/α).
    pub gamma: Tensor,
    /// α.
    pub alpha: Tensor,
    /// σ.
    pub sigma: Tensor,
}

impl Levels {
    /// SNR(s)/SNR(t) − 1, the weight of the variational bound, where `earlier` holds the levels of s < t.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn snr_ratio_less_one(&self, earlier: &Self) -> Result<Tensor> {
        Ok(((&self.gamma - &earlier.gamma)?.exp()? - 1.0)?)
    }

    pub(crate) fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(Self { gamma: self.gamma.to_device(device)?, alpha: self.alpha.to_device(device)?, sigma: self.sigma.to_device(device)? })
    }
}
