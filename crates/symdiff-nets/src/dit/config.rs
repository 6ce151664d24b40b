//! The sizes of a transformer, and the unit of its feed-forward layers.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The unit between the two layers of a feed-forward branch, under the names of the published program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MlpType {
    /// SwiGLU: the first layer is packed, and half as many units feed the second one.
    #[default]
    Swiglu,
    /// A plain perceptron with the GELU in its form with a hyperbolic tangent.
    Mlp,
}

/// Sizes of a [`Dit`](super::Dit).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DitConfig {
    /// Channels of the input, mapped to `hidden` by a first layer; `None` when the input already has that width.
    pub input: Option<usize>,
    /// D, the width of the trunk.
    pub hidden: usize,
    /// The number of blocks.
    pub depth: usize,
    /// Attention heads; divides `hidden`.
    pub heads: usize,
    /// Width of the first feed-forward layer over `hidden`.
    pub ratio: usize,
    /// What follows it.
    pub mlp_type: MlpType,
    /// Channels of the read-out; `None` for a trunk without one.
    pub output: Option<usize>,
}

impl DitConfig {
    /// Refuses what cannot be built.
    ///
    /// # Errors
    /// [`Error::Config`] with the size that does not fit.
    pub fn check(&self) -> Result<()> {
        let problem = match self {
            _ if self.hidden == 0 || self.depth == 0 => format!("hidden {} and depth {} must be positive", self.hidden, self.depth),
            _ if self.heads == 0 || !self.hidden.is_multiple_of(self.heads) => {
                format!("{} heads do not divide hidden size {}", self.heads, self.hidden)
            }
            _ if self.ratio == 0 => "ratio 0 must be positive".to_owned(),
            _ if self.mlp_type == MlpType::Swiglu && !(self.ratio * self.hidden).is_multiple_of(2) => {
                format!("ratio {} times hidden {} must be even, for SwiGLU halves it", self.ratio, self.hidden)
            }
            _ => return Ok(()),
        };
        Err(Error::Config { network: "dit", problem })
    }
}
