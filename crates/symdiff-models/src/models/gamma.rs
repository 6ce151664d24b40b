//! How a backbone is symmetrised: under which group, by which kernel.

use super::defaults::{divided, four, three, unit};
use crate::Result;
use serde::{Deserialize, Serialize};
use symdiff_nets::{MlpType, PairConfig};
use symdiff_train::within;

/// The group under which a model is equivariant in law.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupChoice {
    /// O(3): rotations and reflections. A molecule and its mirror image are equally likely.
    #[default]
    O3,
    /// SO(3): rotations alone.
    So3,
    /// None: the backbone as it is.
    None,
}

/// The symmetrising kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Gamma {
    /// None: the backbone as it is.
    #[default]
    None,
    /// Haar draws, nothing learned (SymDiff-H).
    Haar,
    /// A frame of the molecule's principal axes, one of the choices of their signs at random (canonicalisation), found in a pose that is a Haar draw. Nothing learned.
    Principal,
    /// A frame of two atoms at random, weighted so that the law is continuous, except where all atoms lie on one line (weighted frames). Nothing learned.
    Frames,
    /// Learned: `sym_Haar(f)` (SymDiff).
    Learned(GammaSizes),
}

/// Sizes of the network f of a learned γ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GammaSizes {
    /// Width of the encoder.
    pub hidden: usize,
    /// Blocks of the encoder.
    pub depth: usize,
    /// Heads of the encoder.
    pub heads: usize,
    /// Width of its first feed-forward layers over `hidden`.
    #[serde(default = "four")]
    pub ratio: usize,
    /// What follows them: `swiglu`, or `mlp` for a plain perceptron.
    #[serde(default)]
    pub mlp_type: MlpType,
    /// Width of the decoder.
    pub decoder: usize,
    /// Normals given to every atom.
    #[serde(default = "three")]
    pub noise: usize,
    /// Their standard deviation.
    #[serde(default = "unit")]
    pub noise_scale: f64,
    /// The pair features that f reads beside a backbone that has none of its own; with one that has, f reads those.
    #[serde(default)]
    pub pairs: PairSizes,
    /// Orthonormalises rows instead of columns (`fix_qr` of the published code).
    #[serde(default)]
    pub rows: bool,
    /// Multiplies as the published code does, f(xH)·Hᵀ, which is not equivariant in law for every f; for its checkpoints.
    #[serde(default)]
    pub released: bool,
}

/// Sizes of pair features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PairSizes {
    /// Gaussians of the distance.
    pub gaussians: usize,
    /// Features of an atom.
    pub width: usize,
}

impl Default for PairSizes {
    fn default() -> Self {
        Self { gaussians: 64, width: 64 }
    }
}

impl From<PairSizes> for PairConfig {
    fn from(PairSizes { gaussians, width }: PairSizes) -> Self {
        Self { gaussians, width }
    }
}

impl GammaSizes {
    pub(super) fn check(&self) -> Result<()> {
        let Self { hidden, depth, heads, ratio, decoder, noise, noise_scale, .. } = *self;
        let sizes =
            [("hidden", hidden, 1e5), ("depth", depth, 1e4), ("ratio", ratio, 1e3), ("decoder", decoder, 1e5), ("noise", noise, 1e3)];
        for (name, value, high) in sizes {
            within(&format!("model.gamma.{name}"), value as f64, 1.0, high)?;
        }
        within("model.gamma.noise_scale", noise_scale, 0.0, 1e3)?;
        within("model.gamma.pairs.gaussians", self.pairs.gaussians as f64, 1.0, 1e5)?;
        within("model.gamma.pairs.width", self.pairs.width as f64, 1.0, 1e5)?;
        divided("model.gamma", heads, hidden)
    }
}
