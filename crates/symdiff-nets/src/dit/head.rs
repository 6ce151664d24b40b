//! The read-out.

use crate::{Linear, Result, Start};
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_ops::ada_layer_norm::Columns;
use symdiff_ops::{Ragged, ada_layer_norm};

/// linear(LayerNorm(x)·(1 + scale) + shift), with (shift, scale) from the conditioning; all zero at the start.
#[derive(Clone, Debug)]
pub(super) struct Head {
    modulation: Linear,
    linear: Linear,
    width: usize,
}

impl Head {
    pub(super) fn new(width: usize, output: usize, vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            modulation: Linear::new(width, 2 * width, Start::Zero, vb.pp("adaLN_modulation").pp("1"))?,
            linear: Linear::new(width, output, Start::Zero, vb.pp("linear"))?,
            width,
        })
    }

    /// x `[N, D]`, conditioning `[B|1, D]` after its SiLU → `[N, output]`.
    pub(super) fn forward(&self, x: &Tensor, conditioning: &Tensor, layout: &Ragged) -> Result<Tensor> {
        let modulation = self.modulation.forward(conditioning)?;
        self.linear.forward(&ada_layer_norm(x, &modulation, Columns { shift: 0, scale: self.width }, layout)?)
    }
}
