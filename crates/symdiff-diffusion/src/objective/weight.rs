//! The weight of errors as a function of the noise level.

use crate::{Levels, Result};
use candle_core::Tensor;

/// A weight of the squared error, as a function of the log-SNR λ = −γ. Each is given as the weight of the noise's error; that of the data's is SNR times as large.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Weight {
    /// 1 for the error of the [`Target`](crate::Target), whichever that is.
    #[default]
    Target,
    /// 1 for the error of the noise, as the published models of molecules are trained (Ho et al., arXiv 2006.11239).
    Noise,
    /// min(SNR, κ) for the error of the data (Hang et al., arXiv 2303.09556, with κ = 5).
    MinSnr {
        /// κ.
        most: f64,
    },
    /// sigmoid(b − λ) for the error of the noise (Kingma and Gao, arXiv 2303.00848; Hoogeboom et al., arXiv 2410.19324).
    Sigmoid {
        /// b.
        bias: f64,
    },
    /// (σ² + d²)/(σ·d)² for the error of the data, where σ is the noise over α and d the deviation of the data: that of a network behind
    /// [`Preconditioned`](crate::Preconditioned) then has weight 1 (Karras et al., arXiv 2206.00364).
    Karras {
        /// d.
        deviation: f64,
    },
}

impl Weight {
    /// The weight of the noise's squared error, `[B]` in f64; `target` is d(target)/dε at a fixed state.
    pub(super) fn of_noise(self, levels: &Levels, target: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Target => target.sqr()?,
            Self::Noise => levels.gamma.ones_like()?,
            Self::MinSnr { most } => (levels.gamma.exp()? * most)?.minimum(1.0)?,
            Self::Sigmoid { bias } => (levels.gamma.affine(-1.0, -bias)?.exp()? + 1.0)?.recip()?,
            Self::Karras { deviation } => levels.gamma.exp()?.affine(deviation.powi(-2), 1.0)?,
        })
    }
}
