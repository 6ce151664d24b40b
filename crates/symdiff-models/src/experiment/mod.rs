//! One file per experiment: data, model, process, training, sampling.
//!
//! Unknown keys are errors, so that a misspelt setting is not ignored. A run folder holds the whole experiment with every
//! default written out.

mod continuous;
mod data;
mod diffusion;
mod overlay;
mod property;

pub use continuous::{ContinuousLoss, CouplingKind, TimesKind, WeightKind};
pub use data::{Data, Elements};
pub use diffusion::{Diffusion, LossKind, Normaliser, PathKind, PredictionKind, ScheduleKind};
pub use property::Property;

use crate::models::{GroupChoice, Inputs, ModelConfig};
use crate::{Error, Result};
use candle_core::Device;
use serde::{Deserialize, Serialize};
use std::path::Path;
use symdiff_diffusion::Guidance;
use symdiff_mol::data::MoleculeSet;
use symdiff_mol::state::Encoding;
use symdiff_train::{Settings, within};
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
    /// What to predict of molecules, for an experiment that draws none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<Property>,
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
        settings.iter().try_for_each(|setting| overlay::apply(&mut table, setting))?;
        if let Some(Value::Table(model)) = table.get_mut("model") {
            ModelConfig::fill_from_preset(model)?;
        }
        check_sections(&table)?;
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

    /// The molecules to learn from: the set, without molecules that are larger than `data.heavy_atoms` says, and its training part halved where `data.half` says so.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn molecules(&self) -> Result<MoleculeSet> {
        let set = self.whole_set()?;
        if self.data.half.is_none() {
            return Ok(set);
        }
        let split = self.data.halved(&set);
        set.with_split(split).map_err(|fault| Error::Config(fault.to_string()))
    }

    /// The set with the whole of its training part.
    ///
    /// # Errors
    /// When the file cannot be read, or `data.heavy_atoms` leaves no molecule to train on.
    pub fn whole_set(&self) -> Result<MoleculeSet> {
        let set = match &self.data.path {
            Some(path) => symdiff_mol::data::load(path)?,
            None => symdiff_mol::data::embedded().clone(),
        };
        let Some(most) = self.data.heavy_atoms else { return Ok(set) };
        let split = self.data.split(&set);
        if split.train.is_empty() && !set.split().train.is_empty() {
            return Err(Error::Config(format!("data.heavy_atoms: no training molecule has {most} atoms other than hydrogen, or fewer")));
        }
        set.with_split(split).map_err(|fault| Error::Config(fault.to_string()))
    }

    /// How atoms become features.
    pub fn encoding(&self) -> Encoding {
        self.data.encoding()
    }

    /// What its model is given.
    pub fn inputs(&self) -> Inputs {
        let features = self.property.as_ref().map_or_else(|| self.encoding().features(), |property| property.channels);
        let conditions = self.data.condition.len();
        Inputs { features, conditions, fixed: self.data.fixed > 0.0, guidance: Guidance::NONE }
    }

    /// Refuses a precision that the backbone does not offer on this device.
    ///
    /// # Errors
    /// [`Error::Config`] with the remedy.
    pub fn check_device(&self, device: &Device) -> Result<()> {
        if self.model.backbone.spec().precisions(device).contains(&self.train.precision) {
            return Ok(());
        }
        let kind = self.model.backbone.kind();
        let device = if device.is_cpu() { "a CPU" } else { "a GPU" };
        Err(Error::Config(format!("train.precision is bf16, which the backbone {kind} does not offer on {device}; use f32")))
    }

    /// True when a run of `recorded` may go on as `self`: all but what [`Settings::continues`](symdiff_train::Settings::continues) leaves out is equal.
    pub fn continues(&self, recorded: &Self) -> bool {
        let same_budget = Self { train: self.train.clone(), ..recorded.clone() };
        *self == same_budget && self.train.continues(&recorded.train)
    }

    fn check(&self) -> Result<()> {
        self.train.check()?;
        within("data.augment_noise", self.data.augment_noise, 0.0, 10.0)?;
        within("data.type_scale", self.data.type_scale, 1e-3, 1e3)?;
        self.data.check_conditions()?;
        self.diffusion.check()?;
        self.model.check()?;
        if let Some(property) = &self.property {
            property.check(self)?;
        }
        let coupling = self.diffusion.continuous.map_or(CouplingKind::Independent, |loss| loss.coupling);
        if self.data.fixed > 0.0 && coupling != CouplingKind::Independent {
            return Err(Error::Config(
                "data.fixed and an aligned coupling: given a fixed part, noise that data were moved towards is not normal; set diffusion.continuous.coupling to independent".into(),
            ));
        }
        if self.data.fixed > 0.0 && !self.model.backbone.spec().takes_fixed() {
            let kind = self.model.backbone.kind();
            return Err(Error::Config(format!(
                "data.fixed gives the model fixed atoms, which the backbone {kind} does not take; take dit"
            )));
        }
        if self.data.augment && self.model.group == GroupChoice::None {
            return Err(Error::Config(
                "data.augment moves molecules by the model's group, but model.group is none; set one of the two".into(),
            ));
        }
        Ok(())
    }
}

/// What has keys of its own. A list in its place would be read as its values in their order, and an empty one as all defaults.
const SECTIONS: [&str; 12] = [
    "data",
    "model",
    "model.backbone",
    "model.gamma",
    "model.gamma.pairs",
    "diffusion",
    "diffusion.path",
    "diffusion.continuous",
    "diffusion.continuous.times",
    "diffusion.continuous.weight",
    "train",
    "property",
];

fn check_sections(table: &Table) -> Result<()> {
    for path in SECTIONS {
        let mut keys = path.split('.');
        let first = keys.next().and_then(|key| table.get(key));
        if keys.fold(first, |place, key| place?.get(key)).is_some_and(|found| !found.is_table()) {
            return Err(Error::Config(format!("`{path}` must be a section of keys, as in {path}.key=value")));
        }
    }
    Ok(())
}

/// Parser messages span lines and quote the source; one line serves a command's single sentence.
fn one_line(message: &str) -> String {
    let lines: Vec<&str> = message.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains('|')).collect();
    lines.join("; ")
}
