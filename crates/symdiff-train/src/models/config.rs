//! The sizes of a model, by name or in full.

use super::presets;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
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
    /// Counts the bias of the pair features as if every molecule were padded to this length, as the published implementation does;
    /// for its checkpoints.
    #[serde(default)]
    pub padding_compat: Option<usize>,
}

/// The network that predicts the noise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Backbone {
    /// A Diffusion Transformer on embedded atoms.
    Dit(DitSizes),
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
    /// Width of the decoder.
    pub decoder: usize,
    /// Standard normals given to every atom.
    #[serde(default = "three")]
    pub noise: usize,
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
        let Backbone::Dit(sizes) = &self.backbone;
        if sizes.embedding == 0 || sizes.embedding >= sizes.hidden || sizes.gaussians == 0 {
            let DitSizes { embedding, gaussians, hidden, .. } = sizes;
            return Err(Error::Config(format!(
                "model.backbone: embedding {embedding} must lie between 1 and hidden {hidden}, whose rest holds {gaussians} > 0 gaussians"
            )));
        }
        Ok(())
    }
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
