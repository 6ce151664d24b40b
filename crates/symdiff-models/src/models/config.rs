//! The sizes of a model, by name or in full.

use super::presets;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use symdiff_nets::Aggregation;
use symdiff_train::{Precision, within};
use toml::{Table, Value};

/// A denoiser: a backbone, and the γ that symmetrises it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The name of the sizes it started from.
    #[serde(default)]
    pub preset: Option<String>,
    /// The network that predicts the noise.
    pub backbone: Backbone,
    /// How it is symmetrised under O(3).
    #[serde(default)]
    pub gamma: Gamma,
    /// Counts what the published implementation counts once per row of padding as if every molecule were padded to this length: the bias of
    /// the pair features, the senders of the graph network without geometry, the divisor of means. For its checkpoints.
    #[serde(default)]
    pub padding_compat: Option<usize>,
}

/// The network that predicts the noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Backbone {
    /// A Diffusion Transformer on embedded atoms.
    Dit(DitSizes),
    /// EDM's equivariant graph network.
    Egnn(GraphSizes),
    /// Its variant without geometry: positions are features like any other.
    Gnn(GraphSizes),
}

impl Backbone {
    /// Its name in experiment files.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dit(_) => "dit",
            Self::Egnn(_) => "egnn",
            Self::Gnn(_) => "gnn",
        }
    }

    /// What its activations can be computed in.
    pub fn precisions(&self) -> &'static [Precision] {
        match self {
            Self::Dit(_) => &[Precision::F32, Precision::Bf16],
            Self::Egnn(_) | Self::Gnn(_) => &[Precision::F32],
        }
    }
}

/// Sizes of a transformer on atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DitSizes {
    /// Width of the embedding of positions and features; the rest of `hidden` holds the pair features.
    pub embedding: usize,
    /// Gaussians of the pair features.
    pub gaussians: usize,
    /// Width of the trunk.
    pub hidden: usize,
    /// Blocks.
    pub depth: usize,
    /// Attention heads.
    pub heads: usize,
    /// Width of the packed SwiGLU layers over `hidden`.
    #[serde(default = "four")]
    pub ratio: usize,
}

/// Sizes of a graph network on atoms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphSizes {
    /// Width of the network.
    pub width: usize,
    /// Blocks; without geometry, message passing layers.
    pub layers: usize,
    /// Message passing layers a block (with geometry).
    #[serde(default = "one")]
    pub sublayers: usize,
    /// Weighs each message by a learned gate.
    #[serde(default = "yes")]
    pub attention: bool,
    /// Bounds the steps of atoms (with geometry).
    #[serde(default = "yes")]
    pub tanh: bool,
    /// Added to the lengths that differences of positions are divided by (with geometry).
    #[serde(default = "unit")]
    pub constant: f64,
    /// What sums over senders are divided by.
    #[serde(default = "unit")]
    pub divisor: f64,
    /// Divides them by the number of atoms instead.
    #[serde(default)]
    pub mean: bool,
}

impl GraphSizes {
    /// How messages are summed up; a mean is taken over `padded` rows where given.
    pub(super) fn aggregation(&self, padded: Option<usize>) -> Aggregation {
        if self.mean { Aggregation::Mean { padded } } else { Aggregation::Sum { divisor: self.divisor } }
    }
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
    /// Width of its packed SwiGLU layers over `hidden`.
    #[serde(default = "four")]
    pub ratio: usize,
    /// Width of the decoder.
    pub decoder: usize,
    /// Normals given to every atom.
    #[serde(default = "three")]
    pub noise: usize,
    /// Their standard deviation.
    #[serde(default = "unit")]
    pub noise_scale: f64,
    /// Orthonormalises rows instead of columns (`fix_qr` of the published code).
    #[serde(default)]
    pub rows: bool,
    /// Multiplies as the published code does, f(xH)·Hᵀ, which is not equivariant in law for every f; for its checkpoints.
    #[serde(default)]
    pub released: bool,
}

fn three() -> usize {
    3
}

fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

fn unit() -> f64 {
    1.0
}

fn four() -> usize {
    4
}

impl ModelConfig {
    /// The sizes of a named model.
    ///
    /// # Errors
    /// [`Error::Config`] listing the names, when there is none such.
    pub fn preset(name: &str) -> Result<Self> {
        let mut table = Table::new();
        table.insert("preset".into(), Value::String(name.into()));
        Self::fill_from_preset(&mut table)?;
        Value::Table(table).try_into().map_err(|error: toml::de::Error| Error::Config(format!("preset `{name}`: {error}")))
    }

    /// Completes a `[model]` section: what its preset says, where the section itself says nothing.
    pub(crate) fn fill_from_preset(table: &mut Table) -> Result<()> {
        let Some(Value::String(name)) = table.get("preset") else { return Ok(()) };
        let text = presets::text(name)?;
        let defaults: Table = text.parse().map_err(|error| Error::Config(format!("preset `{name}`: {error}")))?;
        fill(table, defaults);
        Ok(())
    }

    /// Refuses sizes that no model can have.
    ///
    /// # Errors
    /// [`Error::Config`] with the size that does not fit.
    pub fn check(&self) -> Result<()> {
        if let Gamma::Learned(gamma) = &self.gamma {
            gamma.check()?;
        }
        if let Some(pad) = self.padding_compat {
            within("model.padding_compat", pad as f64, 1.0, 1e6)?;
        }
        match &self.backbone {
            Backbone::Dit(sizes) => sizes.check(),
            Backbone::Egnn(_) | Backbone::Gnn(_) if matches!(self.gamma, Gamma::Learned(_)) => Err(Error::Config(
                "model.gamma: a learned kernel shares pair features with a transformer; give model.backbone kind \"dit\", or gamma kind \"haar\""
                    .into(),
            )),
            Backbone::Egnn(sizes) | Backbone::Gnn(sizes) => sizes.check(),
        }
    }
}

impl DitSizes {
    fn check(&self) -> Result<()> {
        let Self { embedding, gaussians, hidden, depth, heads, ratio } = *self;
        for (name, value, high) in [("gaussians", gaussians, 1e5), ("hidden", hidden, 1e5), ("depth", depth, 1e4), ("ratio", ratio, 1e3)] {
            within(&format!("model.backbone.{name}"), value as f64, 1.0, high)?;
        }
        divided("model.backbone", heads, hidden)?;
        if embedding == 0 || embedding >= hidden || gaussians == 0 {
            return Err(Error::Config(format!(
                "model.backbone: embedding {embedding} must lie between 1 and hidden {hidden}, whose rest holds {gaussians} > 0 gaussians"
            )));
        }
        Ok(())
    }
}

impl GammaSizes {
    fn check(&self) -> Result<()> {
        let Self { hidden, depth, heads, ratio, decoder, noise, noise_scale, .. } = *self;
        let sizes =
            [("hidden", hidden, 1e5), ("depth", depth, 1e4), ("ratio", ratio, 1e3), ("decoder", decoder, 1e5), ("noise", noise, 1e3)];
        for (name, value, high) in sizes {
            within(&format!("model.gamma.{name}"), value as f64, 1.0, high)?;
        }
        within("model.gamma.noise_scale", noise_scale, 0.0, 1e3)?;
        divided("model.gamma", heads, hidden)
    }
}

impl GraphSizes {
    fn check(&self) -> Result<()> {
        let Self { width, layers, sublayers, constant, divisor, .. } = *self;
        for (name, value, high) in [("width", width, 1e5), ("layers", layers, 1e4), ("sublayers", sublayers, 1e3)] {
            within(&format!("model.backbone.{name}"), value as f64, 1.0, high)?;
        }
        within("model.backbone.constant", constant, 0.0, 1e6)?;
        Ok(within("model.backbone.divisor", divisor, f64::MIN_POSITIVE, 1e6)?)
    }
}

/// Refuses heads that do not divide the width of the trunk.
fn divided(section: &str, heads: usize, hidden: usize) -> Result<()> {
    if heads > 0 && hidden.is_multiple_of(heads) {
        return Ok(());
    }
    Err(Error::Config(format!("{section}.heads is {heads}, which does not divide the hidden size {hidden}")))
}

/// Adds what `table` lacks, section by section. A section of another kind is left as it is.
fn fill(table: &mut Table, defaults: Table) {
    for (key, default) in defaults {
        match (table.get_mut(&key), default) {
            (Some(Value::Table(inner)), Value::Table(default))
                if inner.get("kind").is_none_or(|kind| Some(kind) == default.get("kind")) =>
            {
                fill(inner, default);
            }
            (Some(_), _) => {}
            (None, default) => {
                table.insert(key, default);
            }
        }
    }
}
