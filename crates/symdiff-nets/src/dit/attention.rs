//! The attention branch of a block, forward and backward.

use super::branch::BranchGradients;
use crate::{Linear, Result, Start};
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_ops::ada_layer_norm::Columns;
use symdiff_ops::linear::Weight;
use symdiff_ops::{Ragged, ada_layer_norm, gated_residual, ragged_attention};

/// x + gate·proj(attention(qkv(norm(x)·(1 + scale) + shift))), with (shift, scale, gate) in columns 0, D, 2D of the modulation.
#[derive(Clone, Debug)]
pub(super) struct Attention {
    qkv: Linear,
    proj: Linear,
    heads: usize,
    width: usize,
}

/// What the backward pass needs; the normalised input is computed again.
pub(super) struct Saved {
    x: Tensor,
    modulation: Tensor,
    qkv: Tensor,
    attended: Tensor,
    y: Tensor,
    layout: Ragged,
}

impl Attention {
    pub(super) fn new(width: usize, heads: usize, vb: VarBuilder) -> Result<Self> {
        let start = Start::Xavier { gain: 1.0 };
        Ok(Self {
            qkv: Linear::new(width, 3 * width, start, vb.pp("qkv"))?,
            proj: Linear::new(width, width, start, vb.pp("proj"))?,
            heads,
            width,
        })
    }

    pub(super) fn weights(&self) -> [&Tensor; 4] {
        [&self.qkv.weight, &self.qkv.bias, &self.proj.weight, &self.proj.bias]
    }

    /// The same branch on other tensors, in the order of [`Attention::weights`].
    pub(super) fn with(&self, weights: &[Tensor]) -> Self {
        Self { qkv: Linear::of(&weights[..2]), proj: Linear::of(&weights[2..]), ..self.clone() }
    }

    fn norm(&self) -> Columns {
        Columns { shift: 0, scale: self.width }
    }

    /// The weights of qkv and proj.
    pub(super) fn maps(&self) -> [&Tensor; 2] {
        [&self.qkv.weight, &self.proj.weight]
    }

    /// The branch without a graph, with the weights of its [maps](Self::maps) laid out for this direction.
    pub(super) fn forward(
        &self,
        [qkv, proj]: [&Weight; 2],
        x: &Tensor,
        modulation: &Tensor,
        layout: &Ragged,
    ) -> symdiff_ops::Result<(Tensor, Saved)> {
        let normed = ada_layer_norm::forward(x, modulation, self.norm(), layout)?;
        let qkv = qkv.times(&normed, Some(&self.qkv.bias))?;
        drop(normed);
        let attended = ragged_attention::forward(&qkv, self.heads, layout)?;
        let y = proj.times(&attended, Some(&self.proj.bias))?;
        let (x, modulation, layout) = (x.clone(), modulation.clone(), layout.clone());
        let saved = Saved { x, modulation, qkv, attended, y, layout };
        Ok((self.output(&saved)?, saved))
    }

    /// The output of [`Attention::forward`], computed again.
    pub(super) fn output(&self, saved: &Saved) -> symdiff_ops::Result<Tensor> {
        gated_residual::forward(&saved.x, &saved.y, &saved.modulation, 2 * self.width, &saved.layout)
    }

    /// The backward pass of [`Attention::forward`], with the weights laid out for this direction.
    pub(super) fn backward(
        &self,
        [of_qkv, of_proj]: [&Weight; 2],
        saved: Saved,
        gradient: &Tensor,
    ) -> symdiff_ops::Result<BranchGradients> {
        let Saved { x, modulation, qkv, attended, y, layout } = saved;
        let (d_y, d_gate) = gated_residual::backward(&y, &modulation, 2 * self.width, gradient, &layout)?;
        drop(y);
        let d_attended = of_proj.times(&d_y, None)?;
        let d_qkv = ragged_attention::backward(&qkv, self.heads, &d_attended, &layout)?;
        drop((qkv, d_attended));
        let normed = ada_layer_norm::forward(&x, &modulation, self.norm(), &layout)?;
        let d_normed = of_qkv.times(&d_qkv, None)?;
        let (d_x, d_norm) = ada_layer_norm::backward(&x, &modulation, self.norm(), &d_normed, Some(gradient), &layout)?;
        Ok(BranchGradients { x: d_x, modulation: [d_norm, d_gate], maps: [[normed, d_qkv], [attended, d_y]] })
    }
}
