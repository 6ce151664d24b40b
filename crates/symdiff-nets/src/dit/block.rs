//! One adaLN-Zero block, as one node of the graph.

use super::attention::Attention;
use super::config::DitConfig;
use super::feedforward::Feedforward;
use crate::{Linear, Result, Start};
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_ops::{Noise, Pullback, Ragged, fused, linear};

/// x ← x + g₁·attention(norm₁(x)), then x ← x + g₂·mlp(norm₂(x)); norms and gates are modulated by the conditioning.
///
/// The two branches are written with their backward passes by hand, over the ops without a graph, and joined into one
/// [`fused`] node: it keeps ten `[N, D]` tensors for the backward pass and frees them as that passes through.
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

    /// x `[N, D]`, conditioning `[B|1, D]` after its SiLU → `[N, D]`.
    pub(super) fn forward(&self, x: &Tensor, conditioning: &Tensor, layout: &Ragged) -> Result<Tensor> {
        let modulation = self.modulation.forward(conditioning)?;
        let weights = self.attention.weights().into_iter().chain(self.feedforward.weights());
        let inputs: Vec<&Tensor> = [x, &modulation].into_iter().chain(weights).collect();
        let output = fused("dit_block", &inputs, |inputs| {
            let (x, modulation) = (&inputs[0], &inputs[1]);
            // Once for both passes.
            let weights = linear::rounded(&inputs[2..], x.dtype())?;
            let (attention, feedforward) = (self.attention.detached(&weights[..4]), self.feedforward.detached(&weights[4..]));
            let (middle, attended) = attention.branch(x, modulation, layout)?;
            let (output, fed) = feedforward.branch(&middle, modulation, layout)?;
            let pullback: Pullback = Box::new(move |gradient| {
                let later = feedforward.pull_back(fed, gradient)?;
                let earlier = attention.pull_back(attended, &later.x)?;
                let modulation = Tensor::cat(&[earlier.modulation, later.modulation], 1)?;
                let weights = earlier.weights.into_iter().chain(later.weights).map(Some);
                Ok([Some(earlier.x), Some(modulation)].into_iter().chain(weights).collect())
            });
            Ok((output, pullback))
        })?;
        Ok(output)
    }
}

/// What flows back out of a branch.
pub(super) struct BranchGradients {
    /// `[N, D]`
    pub(super) x: Tensor,
    /// `[B|1, 3D]`: of shift, scale and gate.
    pub(super) modulation: Tensor,
    /// Of the branch's weights, in the order of its `weights`.
    pub(super) weights: [Tensor; 4],
}
