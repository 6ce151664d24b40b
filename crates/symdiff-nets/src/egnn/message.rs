//! The message passing layer, with or without geometry.

use super::config::Aggregation;
use crate::{Linear, Result, Start};
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_ops::{EdgeMlp, Pairs, Products, edge_message, silu};

/// hᵢ + `node_mlp`(\[hᵢ | Σⱼ gᵢⱼ·mᵢⱼ / divisor\]), with m the edge network of [`edge_message`](mod@symdiff_ops::edge_message).
///
/// # Shapes
/// h `[N, D]` → `[N, D]`; parameters `edge_mlp.{0,2}.*`, `node_mlp.{0,2}.*` and, with a gate, `att_mlp.0.*`.
#[derive(Clone, Debug)]
pub(crate) struct MessageLayer {
    pub(crate) edge: [Linear; 2],
    node: [Linear; 2],
    pub(crate) gate: Option<Linear>,
}

impl MessageLayer {
    /// A layer of `width` channels whose edges have `distances` squared distances.
    pub(crate) fn new(width: usize, distances: usize, attention: bool, vb: VarBuilder) -> Result<Self> {
        let gate = attention.then(|| Linear::new(width, 1, Start::Torch, vb.pp("att_mlp").pp("0"))).transpose()?;
        Ok(Self { edge: two(2 * width + distances, width, vb.pp("edge_mlp"))?, node: two(2 * width, width, vb.pp("node_mlp"))?, gate })
    }

    /// What every node receives, `[N, D]`. `points` are those now and at the start.
    pub(crate) fn received(&self, h: &Tensor, points: Option<[&Tensor; 2]>, pairs: &Pairs) -> Result<Tensor> {
        let gate = self.gate.as_ref().map(|gate| [&gate.weight, &gate.bias]);
        Ok(edge_message(h, points, edge_mlp(&self.edge), gate, pairs)?)
    }

    /// The nodes after they have received.
    pub(crate) fn updated(&self, h: &Tensor, received: &Tensor) -> Result<Tensor> {
        let inner = silu(&self.node[0].forward(&Tensor::cat(&[h, received], 1)?)?)?;
        Ok((h + self.node[1].forward(&inner)?)?)
    }
}

/// The layers `0` and `2` of a two-layer network of `width` channels, with the products that the builder's dtype stands for.
pub(crate) fn two(inputs: usize, width: usize, vb: VarBuilder) -> Result<[Linear; 2]> {
    let (_, products) = Products::of(vb.dtype(), vb.device());
    let layer = |inputs, name| Linear::new(inputs, width, Start::Torch, vb.pp(name)).map(|layer| layer.with_products(products));
    Ok([layer(inputs, "0")?, layer(width, "2")?])
}

pub(crate) fn edge_mlp([first, second]: &[Linear; 2]) -> EdgeMlp<'_> {
    EdgeMlp { first: [&first.weight, &first.bias], second: [&second.weight, &second.bias], products: first.products }
}

impl Aggregation {
    /// The pairs of a layout, summed up in this way; `own` when nodes send to themselves.
    pub(crate) fn pairs(self, layout: &symdiff_ops::Ragged, own: bool) -> Pairs {
        Pairs::new(layout, own, self.divisor(layout))
    }
}
