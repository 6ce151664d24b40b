//! Training a property network, as a task for `symdiff-train`.

use super::{Baseline, PropertyNetwork};
use crate::batches::{Augment, Batches, Examples, Told};
use crate::run::{self, Described};
use crate::{Conditions, Error, Experiment, Result, check_elements, memory};
use candle_core::{DType, Device, Tensor};
use serde_json::json;
use std::path::Path;
use symdiff_ops::Noise;
use symdiff_train::{Alone, Parameters, Ranks, Record, Share, Streams, Task, Trainer};

/// Where a checkpoint keeps the [`Baseline`] among its facts.
pub(super) const BASELINE: &str = "property";

/// A property network, with the molecules that it learns from.
///
/// The loss of a molecule is |k(x) − (v − μ)/MAD|, with its value v, and the mean μ and mean absolute deviation MAD of the training part (EDM's code takes those of the validation part);
/// validation is in the units of the property, so that its mean is the mean absolute error.
pub struct PropertyTask {
    experiment: Experiment,
    network: PropertyNetwork,
    batches: Batches,
    baseline: Baseline,
    /// Indices of held-out molecules.
    held_out: Vec<usize>,
    device: Device,
}

/// A run of a property network.
pub type PropertyTrainer<R = Alone> = Trainer<PropertyTask, R>;

/// A fresh run in `folder` on one or several processes, each of which makes this call; rank 0 writes.
///
/// # Errors
/// When the data cannot be read, lack the property or hold an element that the network does not know, sizes do not fit, or the folder cannot be written.
pub fn start_with<R: Ranks>(ranks: R, experiment: Experiment, seed: u64, folder: &Path, device: &Device) -> Result<PropertyTrainer<R>> {
    run::start_with(ranks, experiment, seed, folder, device)
}

/// Continues the run in `folder`, as [`resume_with`](crate::resume_with) does for models that draw molecules.
///
/// # Errors
/// When the checkpoint is damaged, belongs to another experiment or seed, or the data has changed.
pub fn resume_with<R: Ranks>(
    ranks: R,
    folder: &Path,
    experiment: Option<Experiment>,
    seed: Option<u64>,
    device: &Device,
) -> Result<PropertyTrainer<R>> {
    run::resume_with(ranks, folder, experiment, seed, device)
}

impl PropertyTask {
    /// The task of an experiment, with a fresh network.
    ///
    /// # Errors
    /// As [`start_with`], but for the folder.
    pub fn new(experiment: Experiment, seed: u64, device: &Device) -> Result<Self> {
        let Streams { start, data: order, .. } = Streams::of(seed);
        let network = PropertyNetwork::fresh(&experiment, seed, start, device)?;
        let name = experiment.property.as_ref().map(|property| property.name.clone()).unwrap_or_default();
        experiment.check_device(device)?;
        let set = experiment.molecules()?;
        check_elements(&set, &network.encoding)?;
        memory::check_training(&experiment, &set, device)?;
        let split = set.split();
        let (baseline, _) = Baseline::of(&set, &split.train, &name)?;
        let told = Told::new(&set, &Conditions::of(&set, &split.train, &[name])?, 0.0)?;
        let (data, train) = (&experiment.data, &experiment.train);
        let augment = Augment { group: data.augment.then_some(experiment.model.group), noise: data.augment_noise };
        let mut held_out = split.valid;
        held_out.truncate(train.validate_samples);
        let batches = Batches::new(set, split.train, network.encoding.clone(), train.batch, augment, Some(told), order)?;
        Ok(Self { experiment, network, batches, baseline, held_out, device: device.clone() })
    }

    /// The network.
    pub fn network(&self) -> &PropertyNetwork {
        &self.network
    }
}

impl Described for PropertyTask {
    fn described(experiment: Experiment, seed: u64, device: &Device) -> Result<Self> {
        Self::new(experiment, seed, device)
    }

    fn parameters(&self) -> &Parameters {
        &self.network.parameters
    }
}

/// Normalised values of the property, `[B]` in f64.
fn values(examples: &Examples) -> Result<Tensor> {
    let positions = examples.molecules.positions();
    let rows = examples.asked.rows(1, positions.dtype(), positions.device())?;
    Ok(rows.narrow(1, 0, 1)?.squeeze(1)?.to_dtype(DType::F64)?)
}

impl Task for PropertyTask {
    type Batch = Examples;
    type Error = Error;

    fn batch(&self, step: u64, share: Share) -> Result<Examples> {
        self.batches.at(step, share, DType::F32, &self.device)
    }

    fn loss(&self, batch: &Examples, noise: Noise) -> Result<Tensor> {
        Ok((self.network.value(&batch.molecules, noise)? - values(batch)?)?.abs()?)
    }

    /// Absolute errors in the units of the property, batch by batch.
    fn validate(&self, share: Share, noise: Noise) -> Result<Vec<f64>> {
        let draws = noise.steps();
        let batches: Vec<&[usize]> = self.held_out.chunks(self.experiment.train.batch).collect();
        let mut errors = Vec::new();
        for round in share.range(batches.len()) {
            let batch = self.batches.held_out(batches[round], round as u64, DType::F32, &self.device)?;
            let predicted = self.network.mean_value(&batch.molecules, draws.at(round as u64))?;
            let true_values = values(&batch)?.to_vec1::<f64>()?;
            let scale = self.baseline.statistics.mean_absolute_deviation;
            errors.extend(predicted.iter().zip(true_values).map(|(predicted, value)| scale * (predicted - value).abs()));
        }
        Ok(errors)
    }

    fn steps_per_epoch(&self) -> Option<u64> {
        Some(self.batches.per_epoch())
    }

    /// The experiment as TOML, and the statistics of the property over the training molecules.
    fn record(&self) -> Record {
        Record { description: self.experiment.to_toml().unwrap_or_default(), facts: json!({ BASELINE: self.baseline }) }
    }

    fn continues(&self, recorded: &Record) -> std::result::Result<(), String> {
        let experiment = Experiment::parse(&recorded.description, &[]).map_err(|error| error.to_string())?;
        let known: Option<Baseline> = recorded.facts.get(BASELINE).and_then(|facts| serde_json::from_value(facts.clone()).ok());
        let same = self.experiment.continues(&experiment);
        // Another experiment learns from other molecules; that it is another one is then the reason.
        run::same(same, !same || known.is_some_and(|known| known.agrees(&self.baseline)))
    }
}
