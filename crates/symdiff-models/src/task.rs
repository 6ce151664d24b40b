//! Training a model of molecules, as a task for `symdiff-train`.

use crate::batches::{Augment, Batches, Examples, Told};
use crate::run::{self, Described};
use crate::{Conditions, Error, Experiment, Model, Result, memory};
use candle_core::{DType, Device, Tensor};
use serde_json::json;
use std::path::Path;
use symdiff_mol::data::{MoleculeSet, SizeHistogram, Split};
use symdiff_ops::{Noise, Samples};
use symdiff_train::{Alone, Parameters, Ranks, Record, Settings, Share, Streams, Task, Trainer};

/// Where a checkpoint keeps the [`Conditions`] among its facts.
pub(crate) const CONDITIONS: &str = "conditions";

/// A model of molecules, with the molecules that it learns from.
pub struct MoleculeTask {
    description: Description,
    model: Model,
    batches: Batches,
    sizes: SizeHistogram,
    /// What the model is told of each molecule.
    conditions: Option<Conditions>,
    /// Indices of held-out molecules.
    held_out: Vec<usize>,
    /// Molecules per step.
    batch: usize,
    device: Device,
}

/// How training molecules are shown to the model.
#[derive(Default)]
struct Shown {
    augment: Augment,
    /// What it is told of them, and how often that is withheld.
    told: Option<(Conditions, f64)>,
    /// How often it is given a part of them.
    fixed: f64,
}

/// The description of the task in a checkpoint.
enum Description {
    /// All of it, in one file.
    Experiment(Box<Experiment>),
    /// A model that no file describes: the description given by its author.
    Own(String),
}

/// A run of a model of molecules.
pub type MoleculeTrainer<R = Alone> = Trainer<MoleculeTask, R>;

/// A fresh run in `folder`, which is made once data and model are known to be sound.
///
/// # Errors
/// When the data cannot be read or hold an element that the model does not know, sizes do not fit, or the folder cannot be written.
pub fn start(experiment: Experiment, seed: u64, folder: &Path, device: &Device) -> Result<MoleculeTrainer> {
    start_with(Alone, experiment, seed, folder, device)
}

/// The same on several processes, each of which makes this call; rank 0 writes.
///
/// # Errors
/// As [`start`], and those of [`Trainer::start_with`].
pub fn start_with<R: Ranks>(ranks: R, experiment: Experiment, seed: u64, folder: &Path, device: &Device) -> Result<MoleculeTrainer<R>> {
    run::start_with(ranks, experiment, seed, folder, device)
}

/// Continues the run in `folder`. A given experiment replaces the recorded one in its budget, logging, validation, checkpointing and overlap; the rest must be equal, and
/// so must the seed.
///
/// # Errors
/// When the checkpoint is damaged, belongs to another experiment or seed, or the data has changed.
pub fn resume(folder: &Path, experiment: Option<Experiment>, seed: Option<u64>, device: &Device) -> Result<MoleculeTrainer> {
    resume_with(Alone, folder, experiment, seed, device)
}

/// The same on several processes, as many as one likes; each of them makes this call and reads the checkpoint.
///
/// # Errors
/// As [`resume`], and those of [`Trainer::resume_with`].
pub fn resume_with<R: Ranks>(
    ranks: R,
    folder: &Path,
    experiment: Option<Experiment>,
    seed: Option<u64>,
    device: &Device,
) -> Result<MoleculeTrainer<R>> {
    run::resume_with(ranks, folder, experiment, seed, device)
}

impl MoleculeTask {
    /// The task of an experiment, with a fresh model.
    ///
    /// # Errors
    /// When the data cannot be read or hold an element that the model does not know, or sizes do not fit.
    pub fn new(experiment: Experiment, seed: u64, device: &Device) -> Result<Self> {
        if let Some(property) = &experiment.property {
            let name = &property.name;
            return Err(Error::Config(format!("[property] makes of this a network that tells {name} and draws no molecules; take it out")));
        }
        experiment.check_device(device)?;
        let set = experiment.molecules()?;
        check_elements(&set, &experiment.encoding())?;
        memory::check_training(&experiment, &set, device)?;
        let data = &experiment.data;
        let told = match data.condition.as_slice() {
            [] => None,
            names => Some((Conditions::of(&set, &set.split().train, names)?, data.condition_dropout)),
        };
        let model = Model::fresh(&experiment, seed, Streams::of(seed).start, device)?;
        let augment = Augment { group: data.augment.then_some(experiment.model.group), noise: data.augment_noise };
        let (train, fixed) = (experiment.train.clone(), experiment.data.fixed);
        Self::assembled(Description::Experiment(Box::new(experiment)), model, set, &train, Shown { augment, told, fixed }, seed, device)
    }

    /// The task of training a model of your own on `set`. `description` is stored in checkpoints: a run is resumed only if it is the same.
    ///
    /// # Errors
    /// When the set holds an element that the model does not know, or is smaller than a batch.
    pub fn of(model: Model, set: MoleculeSet, description: &str, train: &Settings, seed: u64, device: &Device) -> Result<Self> {
        check_elements(&set, &model.encoding)?;
        Self::assembled(Description::Own(description.into()), model, set, train, Shown::default(), seed, device)
    }

    fn assembled(
        description: Description,
        model: Model,
        set: MoleculeSet,
        train: &Settings,
        shown: Shown,
        seed: u64,
        device: &Device,
    ) -> Result<Self> {
        let split = set.split();
        let sizes = SizeHistogram::new(split.train.iter().map(|&place| set.num_atoms(place)))
            .ok_or_else(|| Error::Config("the training set is empty".into()))?;
        let mut held_out = split.valid;
        held_out.truncate(train.validate_samples);
        let Shown { augment, told, fixed } = shown;
        let all = told.as_ref().map(|(conditions, dropout)| Told::new(&set, conditions, *dropout)).transpose()?;
        let batches = Batches::new(set, split.train, model.encoding.clone(), train.batch, augment, all, Streams::of(seed).data)?;
        let batches = batches.fixing(fixed);
        let conditions = told.map(|(conditions, _)| conditions);
        Ok(Self { description, model, batches, sizes, conditions, held_out, batch: train.batch, device: device.clone() })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }
}

/// Refuses molecules of elements that the model does not know, before anything is written.
///
/// # Errors
/// That of the encoding for the first such molecule: it names molecule and element.
pub fn check_elements(set: &MoleculeSet, encoding: &symdiff_mol::state::Encoding) -> Result<()> {
    let vocabulary = encoding.vocabulary();
    let unknown = |&number: &u8| vocabulary.place(number).is_err();
    if !set.all_atomic_numbers().iter().any(unknown) {
        return Ok(());
    }
    let Split { train, valid, test } = set.split();
    for place in train.into_iter().chain(valid).chain(test) {
        // The error of the encoding itself names molecule and element.
        if set.atomic_numbers(place).iter().any(unknown) {
            encoding.encode(set, &[place], Samples::numbered(1), DType::F32, &Device::Cpu)?;
        }
    }
    Ok(())
}

impl Described for MoleculeTask {
    fn described(experiment: Experiment, seed: u64, device: &Device) -> Result<Self> {
        Self::new(experiment, seed, device)
    }

    fn parameters(&self) -> &Parameters {
        &self.model.parameters
    }
}

impl Task for MoleculeTask {
    type Batch = Examples;
    type Error = Error;

    fn batch(&self, step: u64, share: Share) -> Result<Examples> {
        self.batches.at(step, share, DType::F32, &self.device)
    }

    fn loss(&self, batch: &Examples, noise: Noise) -> Result<Tensor> {
        self.model.loss(&batch.molecules, &batch.asked, noise)
    }

    /// The losses of molecules of the validation part, batch by batch; sample ids are places in the set.
    fn validate(&self, share: Share, noise: Noise) -> Result<Vec<f64>> {
        let draws = noise.steps();
        let batches: Vec<&[usize]> = self.held_out.chunks(self.batch).collect();
        let mut losses = Vec::new();
        for round in share.range(batches.len()) {
            let batch = self.batches.held_out(batches[round], round as u64, DType::F32, &self.device)?;
            let losses_of = self.model.loss(&batch.molecules, &batch.asked, draws.at(round as u64))?;
            losses.extend(losses_of.to_dtype(DType::F64)?.to_vec1::<f64>()?);
        }
        Ok(losses)
    }

    fn steps_per_epoch(&self) -> Option<u64> {
        Some(self.batches.per_epoch())
    }

    /// The experiment as TOML, and sizes and properties of the training molecules, which samplers draw from.
    fn record(&self) -> Record {
        let description = match &self.description {
            Description::Experiment(experiment) => experiment.to_toml().unwrap_or_default(),
            Description::Own(words) => words.clone(),
        };
        let mut facts = json!({"sizes": self.sizes.counts()});
        if let Some(conditions) = &self.conditions {
            facts[CONDITIONS] = json!(conditions);
        }
        Record { description, facts }
    }

    fn continues(&self, recorded: &Record) -> std::result::Result<(), String> {
        let same = match &self.description {
            Description::Experiment(experiment) => {
                let recorded = Experiment::parse(&recorded.description, &[]).map_err(|error| error.to_string())?;
                if recorded.property.is_some() {
                    return run::same(false, true);
                }
                experiment.continues(&recorded)
            }
            Description::Own(words) => *words == recorded.description,
        };
        let told = recorded.facts.get(CONDITIONS).and_then(|facts| serde_json::from_value::<Conditions>(facts.clone()).ok());
        let same_told = match (&self.conditions, &told) {
            (None, None) => true,
            (Some(here), Some(there)) => here.same_molecules(there),
            _ => !same,
        };
        run::same(same, recorded.facts["sizes"] == json!(self.sizes.counts()) && same_told)
    }
}
