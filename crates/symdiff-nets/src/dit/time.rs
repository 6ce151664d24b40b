//! The embedding of diffusion time.

use crate::{Linear, Result, Start};
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_ops::silu;

/// Sinusoids of t, mapped by two layers: [cos(t·ω_0), …, cos(t·ω_127), sin(t·ω_0), …], ω_i = 10000^(−i/128).
///
/// Time enters in \[0, 1\], unscaled, as in the published code.
///
/// # Shapes
/// times `[B]` or `[1]` → `[B, D]` or `[1, D]`; parameters `mlp.0.*` `[D, 256]` and `mlp.2.*` `[D, D]`.
#[derive(Clone, Debug)]
pub struct TimeEmbedding {
    first: Linear,
    second: Linear,
}

const FREQUENCIES: usize = 128;

impl TimeEmbedding {
    /// Normal weights of standard deviation 0.02.
    ///
    /// # Errors
    /// When a parameter is missing or has another shape.
    pub fn new(width: usize, vb: VarBuilder) -> Result<Self> {
        let (mlp, start) = (vb.pp("mlp"), Start::Normal(0.02));
        Ok(Self { first: Linear::new(2 * FREQUENCIES, width, start, mlp.pp("0"))?, second: Linear::new(width, width, start, mlp.pp("2"))? })
    }

    /// The sinusoids alone, `[B, 256]`.
    ///
    /// # Errors
    /// When `times` is no vector.
    pub fn features(times: &Tensor) -> Result<Tensor> {
        let rates: Vec<f64> = (0..FREQUENCIES).map(|i| (-(10000_f64.ln()) * i as f64 / FREQUENCIES as f64).exp()).collect();
        let rates = Tensor::from_vec(rates, (1, FREQUENCIES), times.device())?.to_dtype(times.dtype())?;
        let angle = times.unsqueeze(1)?.matmul(&rates)?;
        Ok(Tensor::cat(&[angle.cos()?, angle.sin()?], 1)?)
    }

    /// The embedding.
    ///
    /// # Errors
    /// When `times` is no vector.
    pub fn forward(&self, times: &Tensor) -> Result<Tensor> {
        self.second.forward(&silu(&self.first.forward(&Self::features(times)?)?)?)
    }
}
