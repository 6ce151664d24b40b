//! Two layers with an exact GELU between: the decoder of γ.

use crate::{Linear, Result, Start};
use candle_core::Tensor;
use candle_nn::VarBuilder;

/// fc2(GELU(fc1(x))) with the exact (erf) GELU.
///
/// # Shapes
/// x `[B, I]` → `[B, O]`; parameters `fc1.*`, `fc2.*`.
#[derive(Clone, Debug)]
pub struct GeluMlp {
    fc1: Linear,
    fc2: Linear,
}

impl GeluMlp {
    /// Sizes `[inputs, hidden, outputs]`, Xavier weights.
    ///
    /// # Errors
    /// When a parameter is missing or has another shape.
    pub fn new([inputs, hidden, outputs]: [usize; 3], vb: VarBuilder) -> Result<Self> {
        let start = Start::Xavier { gain: 1.0 };
        Ok(Self { fc1: Linear::new(inputs, hidden, start, vb.pp("fc1"))?, fc2: Linear::new(hidden, outputs, start, vb.pp("fc2"))? })
    }

    /// Applies both layers.
    ///
    /// # Errors
    /// When `x` has another width.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.fc2.forward(&self.fc1.forward(x)?.gelu_erf()?)
    }
}
