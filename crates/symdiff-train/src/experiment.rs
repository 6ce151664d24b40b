//! One file per experiment: data, model, process, training, sampling.
//!
//! Unknown keys are refused, so a misspelt setting cannot pass in silence. What a run directory records is the whole experiment with every
//! default written out.

use crate::models::{Backbone, ModelConfig};
use crate::{Error, Result};
use candle_core::{DType, Device};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use symdiff_mol::data::{MoleculeSet, Vocabulary};
use symdiff_mol::state::Encoding;
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
    pub train: Train,
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

/// Optimisation and budget. Training ends at the first of `epochs`, `steps` and `minutes`; 0 means no such limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Train {
    /// Molecules a step.
    pub batch: usize,
    /// Learning rate of AdamW.
    pub lr: f64,
    /// Steps over which the learning rate rises linearly from zero.
    pub warmup: u64,
    /// Lets the learning rate fall to zero along a cosine over the budget of `steps`.
    pub cosine: bool,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// `norm` (limit `clip`) or `queue` (limit from the last 50 norms, as EDM).
    pub clipping: String,
    /// The limit on the gradient norm.
    pub clip: f64,
    /// Decay of the exponential moving average of the weights.
    pub ema: f64,
    /// Starts the average with decay (1 + k)/(10 + k) at step k, until that passes `ema`.
    pub ema_warmup: bool,
    /// Limit on passes over the training set.
    pub epochs: u64,
    /// Limit on optimiser steps.
    pub steps: u64,
    /// Limit on wall-clock minutes.
    pub minutes: f64,
    /// Minutes between checkpoints.
    pub checkpoint_minutes: f64,
    /// Steps between rows of the metrics; on a GPU also between readings of the loss, for which it is waited.
    pub log_every: u64,
    /// What the transformers compute in.
    pub precision: Precision,
}

/// What the blocks of a transformer compute in. Parameters, their averages and the optimiser's state are f32 in any case, and so are the
/// embeddings, the read-out, sums and statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 24 bits.
    #[default]
    F32,
    /// 8 bits; on CUDA alone.
    Bf16,
}

impl Precision {
    /// The dtype of activations.
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
        }
    }
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

impl Default for Train {
    fn default() -> Self {
        Self {
            batch: 256,
            lr: 2e-4,
            warmup: 0,
            cosine: false,
            weight_decay: 1e-12,
            clipping: "norm".into(),
            clip: 2.0,
            ema: 0.9999,
            ema_warmup: false,
            epochs: 0,
            steps: 0,
            minutes: 0.0,
            checkpoint_minutes: 5.0,
            log_every: 1,
            precision: Precision::F32,
        }
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
        let Train { epochs, steps, minutes, checkpoint_minutes, log_every, .. } = self.train;
        let mut same_budget = recorded.clone();
        same_budget.train = Train { epochs, steps, minutes, checkpoint_minutes, log_every, ..recorded.train.clone() };
        *self == same_budget
    }

    fn check(&self) -> Result<()> {
        let train = &self.train;
        let refuse = |problem: String| Err(Error::Config(problem));
        if train.batch == 0 {
            return refuse("train.batch is 0; at least one molecule a step is needed".into());
        }
        let rates = [
            ("train.lr", train.lr, f64::MIN_POSITIVE, 1.0),
            ("train.ema", train.ema, 0.0, 1.0),
            ("train.clip", train.clip, f64::MIN_POSITIVE, f64::MAX),
        ];
        for (name, value, low, high) in rates {
            if !(low..=high).contains(&value) {
                return refuse(format!("{name} is {value}; it must lie in {low:.0}..{high:.0}"));
            }
        }
        if train.log_every == 0 || self.diffusion.steps == 0 {
            return refuse("train.log_every and diffusion.steps must be at least 1".into());
        }
        if train.epochs == 0 && train.steps == 0 && train.minutes <= 0.0 {
            return refuse("no budget: set train.epochs, train.steps or train.minutes".into());
        }
        if train.cosine && train.steps == 0 {
            return refuse("train.cosine needs train.steps, the length of the cosine".into());
        }
        if train.precision == Precision::Bf16 && !matches!(self.model.backbone, Backbone::Dit(_)) {
            return refuse("train.precision is bf16, which graph networks do not offer; train them in f32".into());
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
