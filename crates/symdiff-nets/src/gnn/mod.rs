//! GNN: the graph network without geometry, EDM's non-equivariant baseline. Coordinates are features like any other.
//!
//! Every node receives from every node of its sample, itself included. The published code has no edge mask here: its nodes also receive
//! from the rows that pad a sample, see [`Padding`].

mod padding;

pub use padding::Padding;

use crate::egnn::Aggregation;
use crate::egnn::message::MessageLayer;
use crate::{Error, Linear, Result, Start};
use candle_core::Tensor;
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};
use symdiff_ops::Ragged;

/// Sizes of a [`Gnn`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GnnConfig {
    /// F, channels of the input and of the output.
    pub features: usize,
    /// D, the width of the network.
    pub width: usize,
    /// The number of message passing layers.
    pub layers: usize,
    /// Weighs each message by a learned gate.
    pub attention: bool,
    /// How messages are summed up.
    pub aggregation: Aggregation,
}

impl GnnConfig {
    /// Refuses what cannot be built.
    ///
    /// # Errors
    /// [`Error::Config`] with the size that does not fit.
    pub fn check(&self) -> Result<()> {
        let Self { features, width, layers, .. } = *self;
        if [features, width, layers].contains(&0) {
            let problem = format!("features {features}, width {width} and layers {layers} must be positive");
            return Err(Error::Config { network: "gnn", problem });
        }
        self.aggregation.check("gnn")
    }
}

/// A graph network on features alone.
///
/// # Shapes
/// h `[N, F]` → `[N, F]`; parameters `embedding.*`, `gcl_K.*`, `embedding_out.*`.
#[derive(Clone, Debug)]
pub struct Gnn {
    embedding: Linear,
    layers: Vec<MessageLayer>,
    embedding_out: Linear,
    aggregation: Aggregation,
}

impl Gnn {
    /// A network with the parameters under `vb`.
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    pub fn new(config: &GnnConfig, vb: VarBuilder) -> Result<Self> {
        config.check()?;
        let layer = |k| MessageLayer::new(config.width, 0, config.attention, vb.pp(format!("gcl_{k}")));
        Ok(Self {
            embedding: Linear::new(config.features, config.width, Start::Torch, vb.pp("embedding"))?,
            layers: (0..config.layers).map(layer).collect::<Result<_>>()?,
            embedding_out: Linear::new(config.width, config.features, Start::Torch, vb.pp("embedding_out"))?,
            aggregation: config.aggregation,
        })
    }

    /// Features after the network. With `padding`, nodes receive from it too.
    ///
    /// # Errors
    /// When h does not fit the layout, or a sample not its padding.
    pub fn forward(&self, h: &Tensor, padding: Option<&Padding>, layout: &Ragged) -> Result<Tensor> {
        let pairs = self.aggregation.pairs(layout, true);
        let mut h = self.embedding.forward(h)?;
        let mut blank = padding.map(|padding| padding.start(&self.embedding, &pairs)).transpose()?;
        for layer in &self.layers {
            let mut received = layer.received(&h, None, &pairs)?;
            if let Some(blank) = &mut blank {
                received = (received + blank.received(layer, &h, layout)?)?;
                blank.masked()?;
            }
            h = layer.updated(&h, &received)?;
        }
        self.embedding_out.forward(&h)
    }
}
