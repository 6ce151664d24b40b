//! One adaLN-Zero block, forward and backward.

use super::attention::{self, Attention};
use super::config::DitConfig;
use super::feedforward::{self, Feedforward};
use crate::{Linear, Result, Start};
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_ops::linear::Weight;
use symdiff_ops::{Noise, Ragged, columns, linear};

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

    /// Weight and bias of each of the [`LAYERS`], then those of the modulation.
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

    /// The weights of its [`LAYERS`].
    pub(super) fn matrices(&self) -> [&Tensor; LAYERS] {
        let ([qkv, proj], [fc1, fc2]) = (self.attention.matrices(), self.feedforward.matrices());
        [qkv, proj, fc1, fc2]
    }

    /// The modulation of both branches, `[B|1, 6D]`, by the conditioning `[B|1, D]` after its SiLU.
    pub(super) fn modulation(&self, conditioning: &Tensor) -> symdiff_ops::Result<Tensor> {
        linear::forward(conditioning, &self.modulation.weight, Some(&self.modulation.bias))
    }

    /// The weight behind [`Block::modulation`].
    pub(super) fn modulator(&self) -> &Tensor {
        &self.modulation.weight
    }

    /// The block without a graph, given its [matrices](Self::matrices) for this direction: x `[N, D]`, modulation `[B|1, 6D]` → `[N, D]`.
    pub(super) fn forward(
        &self,
        weights: &[Weight],
        x: &Tensor,
        modulation: &Tensor,
        layout: &Ragged,
    ) -> symdiff_ops::Result<(Tensor, Saved)> {
        let (attention, feedforward) = of_branches(weights);
        let (middle, attended) = self.attention.branch(attention, x, modulation, layout)?;
        let (output, fed) = self.feedforward.branch(feedforward, &middle, modulation, layout)?;
        Ok((output, Saved { attended, fed }))
    }

    /// The way back through [`Block::forward`], given the matrices for this direction and the gradient of its output.
    pub(super) fn pull_back(&self, weights: &[Weight], saved: Saved, gradient: &Tensor) -> symdiff_ops::Result<Returned> {
        let (attention, feedforward) = of_branches(weights);
        let middle = self.attention.output(&saved.attended)?;
        let later = self.feedforward.pull_back(feedforward, saved.fed, &middle, gradient)?;
        drop(middle);
        let earlier = self.attention.pull_back(attention, saved.attended, &later.x)?;
        let [of_norm, of_gate] = earlier.modulation;
        let [of_later_norm, of_later_gate] = later.modulation;
        let modulation = columns::joined(&[&of_norm, &of_gate, &of_later_norm, &of_later_gate])?;
        let ([qkv, proj], [fc1, fc2]) = (earlier.layers, later.layers);
        Ok(Returned { x: earlier.x, modulation, layers: [qkv, proj, fc1, fc2] })
    }
}

/// The matrices of each branch.
fn of_branches(weights: &[Weight]) -> ([&Weight; 2], [&Weight; 2]) {
    ([&weights[0], &weights[1]], [&weights[2], &weights[3]])
}

/// The affine layers that nodes pass through in a block: qkv, proj, fc1 and fc2.
pub(super) const LAYERS: usize = 4;

/// What the way back through a block needs: as much as eleven `[N, D]` tensors, and what belongs to samples.
pub(super) struct Saved {
    attended: attention::Saved,
    fed: feedforward::Saved,
}

/// What comes back out of a block.
pub(super) struct Returned {
    /// The gradient of its input, `[N, D]`.
    pub(super) x: Tensor,
    /// The gradient of its modulation, `[B|1, 6D]`.
    pub(super) modulation: Tensor,
    /// The input of each layer and the gradient of its output: what the gradients of its parameters are made of.
    pub(super) layers: [[Tensor; 2]; LAYERS],
}

/// What comes back out of a branch, as of a block.
pub(super) struct Pulled {
    pub(super) x: Tensor,
    /// The gradients of its shift and scale, `[B|1, 2D]`, and of its gate, `[B|1, D]`.
    pub(super) modulation: [Tensor; 2],
    pub(super) layers: [[Tensor; 2]; 2],
}
