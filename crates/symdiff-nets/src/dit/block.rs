//! One adaLN-Zero block, forward and backward.

use super::attention::{self, Attention};
use super::config::DitConfig;
use super::feedforward::{self, Feedforward};
use crate::{Linear, Result, Start};
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_ops::linear::Weight;
use symdiff_ops::stack::{Backward, Layer};
use symdiff_ops::{Noise, Products, Ragged, columns};

/// x ← x + g₁·attention(norm₁(x)), then x ← x + g₂·mlp(norm₂(x)); norms and gates are modulated by the conditioning.
///
/// Both branches have their backward passes written by hand, over the ops without a graph; the trunk joins all blocks into one node.
#[derive(Clone, Debug)]
pub(super) struct Block {
    attention: Attention,
    feedforward: Feedforward,
    modulation: Linear,
}

/// Tensors of [`Block::weights`].
pub(super) const WEIGHTS: usize = 10;

impl Block {
    pub(super) fn new(config: &DitConfig, noise: Noise, vb: VarBuilder) -> Result<Self> {
        let width = config.hidden;
        Ok(Self {
            attention: Attention::new(width, config.heads, vb.pp("attn"))?,
            feedforward: Feedforward::new(config, noise, vb.pp("mlp"))?,
            modulation: Linear::new(width, 6 * width, Start::Zero, vb.pp("adaLN_modulation").pp("1"))?,
        })
    }

    /// Weight and bias of each of the [maps](Layer::maps), then those of the modulation.
    pub(super) fn weights(&self) -> [&Tensor; WEIGHTS] {
        let ([a, b, c, d], [e, f, g, h]) = (self.attention.weights(), self.feedforward.weights());
        [a, b, c, d, e, f, g, h, &self.modulation.weight, &self.modulation.bias]
    }

    /// The same block on other tensors, in the order of [`Block::weights`].
    pub(super) fn with(&self, weights: &[Tensor]) -> Self {
        let [attention, feedforward, modulation] = [&weights[..4], &weights[4..8], &weights[8..]];
        Self {
            attention: self.attention.with(attention),
            feedforward: self.feedforward.with(feedforward),
            modulation: Linear::of(modulation),
        }
    }

    /// The modulation of both branches, `[B|1, 6D]`, by the conditioning `[B|1, D]` after its SiLU; its weight is being `learned`, or a constant.
    pub(super) fn modulation(&self, conditioning: &Tensor, products: Products, learned: bool) -> symdiff_ops::Result<Tensor> {
        let lay_out = if learned { Weight::forward } else { Weight::constant };
        lay_out(&self.modulation.weight, products)?.times(conditioning, Some(&self.modulation.bias))
    }

    /// The weight behind [`Block::modulation`].
    pub(super) fn modulator(&self) -> &Tensor {
        &self.modulation.weight
    }
}

/// The condition is the block's modulation; the maps are qkv, proj, fc1 and fc2.
impl Layer for Block {
    type Condition = Tensor;
    type Saved = Saved;

    fn maps(&self) -> Vec<&Tensor> {
        [self.attention.maps(), self.feedforward.maps()].concat()
    }

    fn forward(&self, weights: &[Weight], x: &Tensor, modulation: &Tensor, layout: &Ragged) -> symdiff_ops::Result<(Tensor, Saved)> {
        let (attention, feedforward) = of_branches(weights);
        let (middle, attended) = self.attention.forward(attention, x, modulation, layout)?;
        let (output, fed) = self.feedforward.forward(feedforward, &middle, modulation, layout)?;
        Ok((output, Saved { attended, fed }))
    }

    /// What lies between the branches is not kept but computed again.
    fn backward(&self, weights: &[Weight], saved: Saved, gradient: &Tensor) -> symdiff_ops::Result<Backward<Tensor>> {
        let (attention, feedforward) = of_branches(weights);
        let middle = self.attention.output(&saved.attended)?;
        let later = self.feedforward.backward(feedforward, saved.fed, &middle, gradient)?;
        drop(middle);
        let earlier = self.attention.backward(attention, saved.attended, &later.x)?;
        let [of_norm, of_gate] = earlier.modulation;
        let [of_later_norm, of_later_gate] = later.modulation;
        let condition = columns::joined(&[&of_norm, &of_gate, &of_later_norm, &of_later_gate])?;
        Ok(Backward { x: earlier.x, condition, maps: earlier.maps.into_iter().chain(later.maps).collect() })
    }
}

/// The weights of each branch.
fn of_branches(weights: &[Weight]) -> ([&Weight; 2], [&Weight; 2]) {
    ([&weights[0], &weights[1]], [&weights[2], &weights[3]])
}

/// What the backward pass of a block needs: with SwiGLU of ratio 4 as much as eleven `[N, D]` tensors, and what belongs to samples.
pub(super) struct Saved {
    attended: attention::Saved,
    fed: feedforward::Saved,
}
