//! One file per experiment: data, model, process, training, sampling.
//!
//! Unknown keys are refused, so a misspelt setting cannot pass in silence. What a run directory records is the whole experiment with every
//! default written out.

use crate::models::{Backbone, ModelConfig};
use crate::{Error, Result};
use candle_core::Device;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use symdiff_mol::data::{MoleculeSet, Vocabulary};
use symdiff_mol::state::Encoding;
use symdiff_train::{Precision, Settings, within};
use toml::{Table, Value};

/// A training run, completely described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// What to learn from.
    #[serde(default)]
    pub data: Data,
    /// The denoiser.
    pub model: ModelConfig,
    /// The diffusion process.
    #[serde(default)]
    pub diffusion: Diffusion,
    /// How to train.
    #[serde(default)]
    pub train: Settings,
}

/// What to learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// A molecule file; the embedded set when absent.
    pub path: Option<PathBuf>,
    /// The elements the model knows: `qm9` or `geom`.
    pub vocabulary: String,
    /// Rotates and reflects every training molecule by a Haar draw each time it is seen (DiT-Aug).
    pub augment: bool,
}

/// The diffusion process and its objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Diffusion {
    /// T, the number of steps.
    pub steps: usize,
    /// `polynomial_2`, `cosine` or `learned`.
    pub schedule: String,
    /// What keeps α² away from 0 and 1 (`polynomial_2` alone).
    pub precision: f64,
    /// `l2` or `vlb`.
    pub loss: String,
    /// What the `l2` error is divided by: `batch` (dimensions of the batch's longest molecule, as published) or `sample` (each molecule's own).
    pub normaliser: String,
}

impl Default for Data {
    fn default() -> Self {
        Self { path: None, vocabulary: "qm9".into(), augment: false }
    }
}

impl Default for Diffusion {
    fn default() -> Self {
        Self { steps: 1000, schedule: "polynomial_2".into(), precision: 1e-5, loss: "l2".into(), normaliser: "batch".into() }
    }
}

impl Experiment {
    /// Reads an experiment file and applies `a.b=value` settings over it.
    ///
    /// # Errors
    /// [`Error::Config`] with the file, the place and the remedy.
    pub fn read(path: &Path, settings: &[String]) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path, "read the experiment"))?;
        Self::parse(&text, settings).map_err(|error| match error {
            Error::Config(problem) => Error::Config(format!("{}: {problem}", path.display())),
            other => other,
        })
    }

    /// Parses an experiment, with settings over it.
    ///
    /// # Errors
    /// [`Error::Config`] with the place and the remedy.
    pub fn parse(text: &str, settings: &[String]) -> Result<Self> {
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| Error::Config(one_line(&error.to_string())))?;
        settings.iter().try_for_each(|setting| apply(&mut table, setting))?;
        if let Some(Value::Table(model)) = table.get_mut("model") {
            ModelConfig::fill_from_preset(model)?;
        }
        let experiment: Self =
            Value::Table(table).try_into().map_err(|error: toml::de::Error| Error::Config(one_line(&error.to_string())))?;
        experiment.check()?;
        Ok(experiment)
    }

    /// The experiment as TOML, every default written out.
    ///
    /// # Errors
    /// [`Error::Config`] when it cannot be written, which no parsed experiment causes.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|error| Error::Config(error.to_string()))
    }

    /// The molecules to learn from.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn molecules(&self) -> Result<MoleculeSet> {
        Ok(match &self.data.path {
            Some(path) => symdiff_mol::data::load(path)?,
            None => symdiff_mol::data::embedded().clone(),
        })
    }

    /// How atoms become features.
    ///
    /// # Errors
    /// When the vocabulary is unknown.
    pub fn encoding(&self) -> Result<Encoding> {
        let vocabulary = Vocabulary::from_name(&self.data.vocabulary)?;
        let charges = vocabulary == Vocabulary::qm9();
        Ok(Encoding::new(vocabulary, charges))
    }

    /// Refuses to train in a precision that the device has no ops for.
    ///
    /// # Errors
    /// [`Error::Config`] with the remedy.
    pub fn check_device(&self, device: &Device) -> Result<()> {
        if self.train.precision == Precision::F32 || device.is_cuda() {
            return Ok(());
        }
        Err(Error::Config("train.precision is bf16, which needs a CUDA device; give --device cuda, or train in f32".into()))
    }

    /// True when a run of `recorded` may go on as `self`: all but budget, logging and checkpointing is equal.
    pub fn continues(&self, recorded: &Self) -> bool {
        let same_budget = Self { train: self.train.clone(), ..recorded.clone() };
        *self == same_budget && self.train.continues(&recorded.train)
    }

    fn check(&self) -> Result<()> {
        self.train.check()?;
        within("diffusion.steps", self.diffusion.steps as f64, 1.0, 1e6)?;
        within("diffusion.precision", self.diffusion.precision, 0.0, 0.5)?;
        if self.train.precision == Precision::Bf16 && !matches!(self.model.backbone, Backbone::Dit(_)) {
            return Err(Error::Config("train.precision is bf16, which graph networks do not offer; train them in f32".into()));
        }
        self.encoding()?;
        self.model.check()
    }
}

/// Sets `a.b=value` in a table; a value that is no TOML is taken as a string.
fn apply(table: &mut Table, setting: &str) -> Result<()> {
    let malformed = || Error::Config(format!("`--set {setting}`: write it as section.key=value"));
    let (path, text) = setting.split_once('=').ok_or_else(malformed)?;
    let value = format!("v = {text}").parse::<Table>().ok().and_then(|mut t| t.remove("v")).unwrap_or_else(|| Value::String(text.into()));
    let mut keys: Vec<&str> = path.split('.').map(str::trim).collect();
    let last = keys.pop().filter(|key| !key.is_empty()).ok_or_else(malformed)?;
    let mut place = table;
    for key in keys {
        let next = place.entry(key).or_insert_with(|| Value::Table(Table::new()));
        place = next.as_table_mut().ok_or_else(|| Error::Config(format!("`--set {setting}`: `{key}` is no section")))?;
    }
    place.insert(last.into(), value);
    Ok(())
}

/// Parser messages span lines and quote the source; one line serves a command's single sentence.
fn one_line(message: &str) -> String {
    let lines: Vec<&str> = message.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains('|')).collect();
    lines.join("; ")
}
