//! The sizes of a model, by name or in full.

use super::{Backbone, Gamma, GroupChoice, presets};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use symdiff_nets::{PaddedTo, PairConfig};
use symdiff_train::within;
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
    /// The group under which it is symmetrised, and its data augmented.
    #[serde(default)]
    pub group: GroupChoice,
    /// How it is symmetrised.
    #[serde(default)]
    pub gamma: Gamma,
    /// Counts what the published implementation counts once per row of padding as if every molecule were padded to this length, or to that of the
    /// batch's longest: the bias of the pair features, the senders of the graph network without geometry, the divisor of means. For its checkpoints,
    /// and to train as it does (`"longest"`).
    #[serde(default)]
    pub padding_compat: Option<PaddedTo>,
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
        if let Some(PaddedTo::Rows(pad)) = self.padding_compat {
            within("model.padding_compat", pad as f64, 1.0, 1e6)?;
        }
        if self.group == GroupChoice::None && self.gamma != Gamma::None {
            return Err(Error::Config(
                "model.group is none, under which nothing can be symmetrised; set model.gamma to { kind = \"none\" }".into(),
            ));
        }
        self.backbone.spec().check()
    }

    /// The pair features that the model computes: the backbone's, or those that a learned γ brings.
    pub fn pairs(&self) -> Option<PairConfig> {
        let brought = if let Gamma::Learned(gamma) = &self.gamma { Some(gamma.pairs.into()) } else { None };
        self.backbone.spec().pairs().or(brought)
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
