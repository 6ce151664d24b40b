//! EGNN: a graph network on points that commutes with rotations, reflections and translations.
//!
//! Every block passes messages between all pairs of nodes of a sample, which see the squared distances now and at the start, and then moves
//! the points along their differences. It depends on the points through distances and differences alone, and is therefore exactly equivariant.
//!
//! # Source
//! Satorras, Hoogeboom, Welling, arXiv 2102.09844, in the form of Hoogeboom et al., arXiv 2203.17003 (the network of EDM); where the paper
//! and the published code differ (the range of each block's steps, what a mean is taken over), the code is followed.

mod block;
mod config;
pub(crate) mod message;

pub use config::{Aggregation, EgnnConfig};

use crate::{Linear, Result, Start};
use block::Block;
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_ops::Ragged;

/// An equivariant graph network.
///
/// Under a `VarBuilder` of bf16 on a CPU, the products of the edge and node networks are those in bf16 ([`Products::Bf16`](symdiff_ops::Products)); all
/// else is f32.
///
/// # Shapes
/// x `[N, 3]`, h `[N, F]` → the moved points `[N, 3]` and the features `[N, F]`; parameters `embedding.*`, `e_block_K.*`,
/// `embedding_out.*`.
#[derive(Clone, Debug)]
pub struct Egnn {
    embedding: Linear,
    blocks: Vec<Block>,
    embedding_out: Linear,
    aggregation: Aggregation,
}

impl Egnn {
    /// A network with the parameters under `vb`.
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    pub fn new(config: &EgnnConfig, vb: VarBuilder) -> Result<Self> {
        config.check()?;
        Ok(Self {
            embedding: Linear::new(config.features, config.width, Start::Torch, vb.pp("embedding"))?,
            blocks: (0..config.layers).map(|k| Block::new(config, vb.pp(format!("e_block_{k}")))).collect::<Result<_>>()?,
            embedding_out: Linear::new(config.width, config.features, Start::Torch, vb.pp("embedding_out"))?,
            aggregation: config.aggregation,
        })
    }

    /// Points and features after the network.
    ///
    /// # Errors
    /// When x or h do not fit the layout.
    pub fn forward(&self, x: &Tensor, h: &Tensor, layout: &Ragged) -> Result<[Tensor; 2]> {
        let pairs = self.aggregation.pairs(layout, false);
        let (mut h, mut points) = (self.embedding.forward(h)?, x.clone());
        for block in &self.blocks {
            [h, points] = block.forward(h, &points, x, &pairs)?;
        }
        Ok([points, self.embedding_out.forward(&h)?])
    }
}
