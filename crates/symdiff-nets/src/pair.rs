//! Geometry of a point cloud as node features that no rotation, reflection or translation changes.

use crate::{Linear, PaddedTo, Result, Start};
use candle_core::Tensor;
use candle_nn::{Init, VarBuilder};
use serde::{Deserialize, Serialize};
use symdiff_ops::{Ragged, pair_gaussian_mean, spread};

/// Sizes of [`PairFeatures`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairConfig {
    /// K, the number of Gaussians of the distance.
    pub gaussians: usize,
    /// The width of the features.
    pub width: usize,
}

/// p_i = W·mean_j φ(|x_i − x_j|) + b, with K learned Gaussians φ of the distance; the mean runs over the nodes of the same sample, i included.
///
/// The map is linear, so the mean comes first, and the map is applied once per node, never once per pair.
///
/// The published implementation adds b once per *padded* neighbour: b becomes b·(pad/n_i). [`PairFeatures::padded_to`] reproduces that for
/// its checkpoints.
///
/// # Shapes
/// x `[N, 3]` → `[N, width]`; parameters `gaussian_embedder.means.weight` and `gaussian_embedder.stds.weight` `[1, K]`,
/// `pos_embedder.*`.
///
/// # Source
/// arXiv 2410.06262, appendix on the backbone; the published code for the bias.
#[derive(Clone, Debug)]
pub struct PairFeatures {
    means: Tensor,
    widths: Tensor,
    map: Linear,
    pad: Option<PaddedTo>,
}

impl PairFeatures {
    /// Centres and widths start uniform on (0, 3) Å, the map by Xavier.
    ///
    /// # Errors
    /// When a parameter is missing or has another shape.
    pub fn new(config: PairConfig, vb: VarBuilder) -> Result<Self> {
        let start = Init::Uniform { lo: 0.0, up: 3.0 };
        let basis = vb.pp("gaussian_embedder");
        Ok(Self {
            means: basis.get_with_hints((1, config.gaussians), "means.weight", start)?,
            widths: basis.get_with_hints((1, config.gaussians), "stds.weight", start)?,
            map: Linear::new(config.gaussians, config.width, Start::Xavier { gain: 1.0 }, vb.pp("pos_embedder"))?,
            pad: None,
        })
    }

    /// Counts the bias as an implementation does that pads every sample to `pad` rows.
    #[must_use]
    pub fn padded_to(mut self, pad: impl Into<PaddedTo>) -> Self {
        self.pad = Some(pad.into());
        self
    }

    /// The features of every node.
    ///
    /// # Errors
    /// When `x` does not fit the layout.
    pub fn forward(&self, x: &Tensor, layout: &Ragged) -> Result<Tensor> {
        let phi = pair_gaussian_mean(x, &self.means.flatten_all()?, &self.widths.flatten_all()?, layout)?;
        let Some(pad) = self.pad else { return self.map.forward(&phi) };
        let weight = (layout.sizes_tensor(x.dtype(), x.device())?.recip()? * pad.rows(layout) as f64)?;
        let bias = weight.broadcast_mul(&self.map.bias().unsqueeze(0)?)?;
        Ok((self.map.forward_without_bias(&phi)? + spread(&bias, layout)?)?)
    }
}
