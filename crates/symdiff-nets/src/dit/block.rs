//! One adaLN-Zero block, forward and backward.

use super::attention::{self, Attention};
use super::config::DitConfig;
use super::feedforward::{self, Feedforward};
use crate::{Linear, Result, Start};
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_ops::{Noise, Ragged, linear};

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

    /// Weight and bias of each of the [`LAYERS`].
    pub(super) fn weights(&self) -> impl Iterator<Item = &Tensor> {
        let branches = self.attention.weights().into_iter().chain(self.feedforward.weights());
        branches.chain([&self.modulation.weight, &self.modulation.bias])
    }

    /// The same block on other tensors, in the order of [`Block::weights`].
    pub(super) fn detached(&self, weights: &[Tensor]) -> Self {
        let [attention, feedforward, modulation] = [&weights[..4], &weights[4..8], &weights[8..]];
        Self {
            attention: self.attention.detached(attention),
            feedforward: self.feedforward.detached(feedforward),
            modulation: Linear::of(modulation),
        }
    }

    /// The block without a graph: x `[N, D]`, conditioning `[B|1, D]` after its SiLU → `[N, D]`.
    pub(super) fn forward(&self, x: &Tensor, conditioning: &Tensor, layout: &Ragged) -> symdiff_ops::Result<(Tensor, Saved)> {
        let modulation = linear::forward(conditioning, &self.modulation.weight, Some(&self.modulation.bias))?;
        let (middle, attended) = self.attention.branch(x, &modulation, layout)?;
        let (output, fed) = self.feedforward.branch(&middle, &modulation, layout)?;
        Ok((output, Saved { conditioning: conditioning.clone(), attended, fed }))
    }

    /// The way back through [`Block::forward`], given the gradient of its output.
    pub(super) fn pull_back(&self, saved: Saved, gradient: &Tensor) -> symdiff_ops::Result<Returned> {
        let later = self.feedforward.pull_back(saved.fed, gradient)?;
        let earlier = self.attention.pull_back(saved.attended, &later.x)?;
        let modulation = Tensor::cat(&[earlier.modulation, later.modulation], 1)?;
        let conditioning = linear::backward_input(&modulation, &self.modulation.weight)?;
        let ([qkv, proj], [fc1, fc2]) = (earlier.layers, later.layers);
        Ok(Returned { x: earlier.x, conditioning, layers: [qkv, proj, fc1, fc2, [saved.conditioning, modulation]] })
    }
}

/// The affine layers of a block: qkv, proj, fc1, fc2 and the modulation.
pub(super) const LAYERS: usize = 5;

/// What the way back through a block needs: ten `[N, D]` tensors, and what belongs to samples.
pub(super) struct Saved {
    conditioning: Tensor,
    attended: attention::Saved,
    fed: feedforward::Saved,
}

/// What comes back out of a block.
pub(super) struct Returned {
    /// The gradient of its input, `[N, D]`.
    pub(super) x: Tensor,
    /// The gradient of its conditioning, `[B|1, D]`.
    pub(super) conditioning: Tensor,
    /// The input of each layer and the gradient of its output: what the gradients of its parameters are made of.
    pub(super) layers: [[Tensor; 2]; LAYERS],
}

/// What comes back out of a branch, as of a block.
pub(super) struct Pulled {
    pub(super) x: Tensor,
    /// The gradients of its shift, scale and gate, `[B|1, 3D]`.
    pub(super) modulation: Tensor,
    pub(super) layers: [[Tensor; 2]; 2],
}
