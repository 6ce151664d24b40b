//! A block: messages, then one step of the points.

use super::EgnnConfig;
use super::message::{MessageLayer, edge_mlp, two};
use crate::{Linear, Result, Start};
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_ops::{Pairs, Reach, edge_displacement};

/// The largest step along one edge, in every block, as in the published code.
const RANGE: f64 = 15.0;

/// Some message passing layers, then xᵢ + Σⱼ (xᵢ − xⱼ) / (|xᵢ − xⱼ| + constant)·sᵢⱼ / divisor, with sᵢⱼ read from an edge network.
///
/// # Shapes
/// h `[N, D]`, x `[N, 3]` → the same; parameters `gcl_K.*` and `gcl_equiv.coord_mlp.{0,2,4}.*`.
#[derive(Clone, Debug)]
pub(super) struct Block {
    messages: Vec<MessageLayer>,
    edge: [Linear; 2],
    /// What reads the step from an edge, `[1, D]`.
    reader: Tensor,
    reach: Reach,
}

impl Block {
    pub(super) fn new(config: &EgnnConfig, vb: VarBuilder) -> Result<Self> {
        let width = config.width;
        let layer = |k| MessageLayer::new(width, 2, config.attention, vb.pp(format!("gcl_{k}")));
        let steps = vb.pp("gcl_equiv").pp("coord_mlp");
        // Steps start near zero: the network starts near the identity on points.
        let start = Start::Xavier { gain: 0.001 }.weight(width, 1);
        Ok(Self {
            messages: (0..config.sublayers).map(layer).collect::<Result<_>>()?,
            edge: two(2 * width + 2, width, steps.clone())?,
            reader: steps.get_with_hints((1, width), "4.weight", start)?,
            reach: Reach { constant: config.constant, range: config.tanh.then_some(RANGE) },
        })
    }

    /// The nodes and the points after the block; `start` are the points that the network was given.
    pub(super) fn forward(&self, mut h: Tensor, x: &Tensor, start: &Tensor, pairs: &Pairs) -> Result<[Tensor; 2]> {
        for layer in &self.messages {
            h = layer.updated(&h, &layer.received(&h, Some([x, start]), pairs)?)?;
        }
        let step = edge_displacement(&h, [x, start], edge_mlp(&self.edge), &self.reader, self.reach, pairs)?;
        Ok([h, (x + step)?])
    }
}
