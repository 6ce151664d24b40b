//! One adaLN-Zero block, forward and backward.

use super::attention::{self, Attention};
use super::config::DitConfig;
use super::feedforward::{self, Feedforward};
use crate::{Linear, Result, Start};
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_ops::{Noise, Ragged};

/// x ← x + g₁·attention(norm₁(x)), then x ← x + g₂·mlp(norm₂(x)); norms and gates are modulated by the conditioning.
///
/// Both branches are written with their way back by hand, over the ops without a graph; the trunk joins all blocks into one node.
#[derive(Clone, Debug)]
pub(super) struct Block {
    attention: Attention,
    feedforward: Feedforward,
    modulation: Linear,
}

impl Block {
    pub(super) fn new(config: &DitConfig, vb: VarBuilder) -> Result<Self> {
        let width = config.hidden;
        Ok(Self {
            attention: Attention::new(width, config.heads, vb.pp("attn"))?,
            feedforward: Feedforward::new(width, config.ratio, vb.pp("mlp"))?,
            modulation: Linear::new(width, 6 * width, Start::Zero, vb.pp("adaLN_modulation").pp("1"))?,
        })
    }

    pub(super) fn start_linear(&self, noise: Noise) -> Result<()> {
        self.feedforward.start_linear(noise)
    }

    /// The modulation `[B|1, 6D]` for a conditioning `[B|1, D]` after its SiLU.
    pub(super) fn modulation(&self, conditioning: &Tensor) -> Result<Tensor> {
        self.modulation.forward(conditioning)
    }

    /// Weight and bias of the four layers, in the order of the forward pass.
    pub(super) fn weights(&self) -> impl Iterator<Item = &Tensor> {
        self.attention.weights().into_iter().chain(self.feedforward.weights())
    }

    /// The same block on other tensors, in the order of [`Block::weights`].
    pub(super) fn detached(&self, weights: &[Tensor]) -> Self {
        let (attention, feedforward) = weights.split_at(4);
        Self { attention: self.attention.detached(attention), feedforward: self.feedforward.detached(feedforward), ..self.clone() }
    }

    /// The block without a graph: x `[N, D]`, modulation `[B|1, 6D]` → `[N, D]`.
    pub(super) fn forward(&self, x: &Tensor, modulation: &Tensor, layout: &Ragged) -> symdiff_ops::Result<(Tensor, Saved)> {
        let (middle, attended) = self.attention.branch(x, modulation, layout)?;
        let (output, fed) = self.feedforward.branch(&middle, modulation, layout)?;
        Ok((output, Saved { attended, fed }))
    }

    /// The way back through [`Block::forward`], given the gradient of its output.
    pub(super) fn pull_back(&self, saved: Saved, gradient: &Tensor) -> symdiff_ops::Result<Pulled<4>> {
        let later = self.feedforward.pull_back(saved.fed, gradient)?;
        let earlier = self.attention.pull_back(saved.attended, &later.x)?;
        let modulation = Tensor::cat(&[earlier.modulation, later.modulation], 1)?;
        let ([qkv, proj], [fc1, fc2]) = (earlier.layers, later.layers);
        Ok(Pulled { x: earlier.x, modulation, layers: [qkv, proj, fc1, fc2] })
    }
}

/// What the way back through a block needs: ten `[N, D]` tensors.
pub(super) struct Saved {
    attended: attention::Saved,
    fed: feedforward::Saved,
}

/// What comes back out of a part with this many layers.
pub(super) struct Pulled<const LAYERS: usize> {
    /// The gradient of its input, `[N, D]`.
    pub(super) x: Tensor,
    /// The gradients of its shifts, scales and gates, `[B|1, 3D]` a branch.
    pub(super) modulation: Tensor,
    /// The input of each layer and the gradient of its output: what the gradients of its parameters are made of.
    pub(super) layers: [[Tensor; 2]; LAYERS],
}
