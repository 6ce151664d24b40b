//! The path of diffusion models.

use super::{Coefficients, Levels, Path};
use crate::{Result, Schedule};
use candle_core::{Device, Tensor};

/// α² = sigmoid(log SNR) and σ² = 1 − α², with the log-SNR of a [`Schedule`]. Sampling starts from standard normals.
///
/// # Source
/// Ho et al., arXiv 2006.11239; Kingma et al., arXiv 2107.00630.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VariancePreserving<Q>(
    /// How noisy each time is.
    pub Q,
);

impl<Q: Schedule> Path for VariancePreserving<Q> {
    /// α′ = ½·α·σ²·λ′ and σ′ = −½·α²·σ·λ′, where λ is the log-SNR.
    fn at(&self, t: f64) -> Coefficients {
        let (log_snr, slope) = (self.0.log_snr(t), self.0.slope(t));
        let root = |x: f64| (1.0 + (-x).exp()).recip().sqrt();
        let (alpha, sigma) = (root(log_snr), root(-log_snr));
        Coefficients { alpha, sigma, alpha_rate: 0.5 * alpha * sigma * sigma * slope, sigma_rate: -0.5 * alpha * alpha * sigma * slope }
    }

    fn log_snr(&self, t: f64) -> f64 {
        self.0.log_snr(t)
    }

    fn levels(&self, times: &[f64], device: &Device) -> Result<Levels> {
        let gamma = self.0.log_snrs(times, device)?.neg()?;
        let root = |x: &Tensor| -> Result<Tensor> { Ok((x.exp()? + 1.0)?.recip()?.sqrt()?) };
        Ok(Levels { alpha: root(&gamma)?, sigma: root(&gamma.neg()?)?, gamma })
    }

    /// 1 − α²_t/α²_s = 1 − exp(softplus(γ_s) − softplus(γ_t)).
    fn variance_given(&self, later: &Levels, earlier: &Levels) -> Result<Tensor> {
        Ok((softplus(&earlier.gamma)? - softplus(&later.gamma)?)?.exp()?.affine(-1.0, 1.0)?)
    }

    /// (−σ, α): v is that of Salimans and Ho, arXiv 2202.00512, also where the schedule rests.
    fn direction(&self, _: &[f64], levels: &Levels) -> Result<[Tensor; 2]> {
        Ok([levels.sigma.neg()?, levels.alpha.clone()])
    }

    fn start(&self) -> f64 {
        1.0
    }
}

/// log(1 + eˣ).
fn softplus(x: &Tensor) -> Result<Tensor> {
    Ok((x.relu()? + (x.abs()?.neg()?.exp()? + 1.0)?.log()?)?)
}
