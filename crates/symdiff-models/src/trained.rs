//! A trained model, for sampling and likelihoods.

use crate::chain::Chain;
use crate::drawing::Drawing;
use crate::experiment::Experiment;
use crate::model::Model;
use crate::plan::{Plan, Wish};
use crate::sampling::Sampling;
use crate::task::CONDITIONS;
use crate::{Conditions, Error, Result, import};
use candle_core::{DType, Device};
use std::path::{Path, PathBuf};
use symdiff_diffusion::{Guidance, Route};
use symdiff_mol::Molecule;
use symdiff_mol::data::{MoleculeSet, SizeHistogram, Split};
use symdiff_mol::state::Molecules;
use symdiff_nets::PaddedTo;
use symdiff_ops::{Noise, Ragged, Samples};
use symdiff_train::checkpoint::{self, Checkpoint, Header};
use symdiff_train::{CHECKPOINT, Error as TrainError, Precision, Record, Share};

/// A model with the averaged weights of a run, and the sizes of the molecules it learned from.
pub struct Trained {
    /// The model, which is [settled](Model::settled).
    pub model: Model,
    /// The checkpoint's header.
    pub header: Header,
    /// The padding that is counted; none where the model does not depend on any.
    pub padding: Option<PaddedTo>,
    /// What it computes in.
    pub precision: Precision,
    /// A hash of its weights.
    pub weights_hash: u64,
    sizes: SizeHistogram,
    conditions: Option<Conditions>,
    /// Where the model is that of an experiment.
    experiment: Option<Box<Experiment>>,
    device: Device,
}

/// A Monte Carlo estimate of a negative log-likelihood.
#[derive(Clone, Debug, PartialEq)]
pub struct Nll {
    /// Mean over molecules, in nats, with −log p(size) of the training set.
    pub mean: f64,
    /// Its standard error over molecules.
    pub standard_error: f64,
    /// How many molecules it is over.
    pub molecules: usize,
    /// Molecules left out, since their size does not occur in the training set: under the model they have probability zero.
    pub unseen_sizes: usize,
}

impl Nll {
    /// Mean and standard error of estimates, with so many molecules left out.
    ///
    /// # Errors
    /// [`Error::Config`] when there is no estimate.
    pub fn of(totals: &[f64], unseen_sizes: usize) -> Result<Self> {
        if totals.is_empty() {
            return Err(Error::Config(
                "no molecules to estimate on: the part asked for is empty, or of sizes the model has not seen".into(),
            ));
        }
        let n = totals.len() as f64;
        let mean = totals.iter().sum::<f64>() / n;
        let variance = totals.iter().map(|total| (total - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        Ok(Self { mean, standard_error: (variance / n).sqrt(), molecules: totals.len(), unseen_sizes })
    }
}

impl Trained {
    /// The model of a run directory, or of a single checkpoint file. Without a `precision`, it computes in f32 on a CPU, and on a GPU in what it was
    /// trained in.
    ///
    /// # Errors
    /// When there is no checkpoint, it is damaged, or it holds another model than its experiment says.
    pub fn load(path: &Path, device: &Device) -> Result<Self> {
        Self::load_with(path, None, None, device)
    }

    /// The same in this precision, and with the padding of a published run counted as `padding` says: its samplers pad to the largest molecule of the data set, which is what
    /// the checkpoint holds; its training and its evaluation pad to the longest of the batch. Models that no padding enters are as they are.
    ///
    /// # Errors
    /// As [`Trained::load`]; [`Error::Config`] when the model does not offer the precision on this device.
    pub fn load_with(path: &Path, padding: Option<PaddedTo>, precision: Option<Precision>, device: &Device) -> Result<Self> {
        let file = checkpoint_of(path);
        Self::read_with(&file, &checkpoint::bytes(&file)?, padding, precision, device)
    }

    /// The same of a checkpoint in memory, such as weights that are compiled into a program; `file` is what messages call it.
    ///
    /// # Errors
    /// As [`Trained::load_with`].
    pub fn read_with(file: &Path, bytes: &[u8], padding: Option<PaddedTo>, precision: Option<Precision>, device: &Device) -> Result<Self> {
        let loaded = checkpoint::read(file, bytes, device)?;
        let record = &loaded.header.record;
        let mut experiment = Experiment::parse(&record.description, &[])?;
        if let Some(property) = &experiment.property {
            let problem = format!("is a network that tells {}, and draws no molecules; give it to `evaluate --network`", property.name);
            return Err(Error::file(file, problem));
        }
        let usual = if device.is_cpu() { Precision::F32 } else { experiment.train.precision };
        experiment.train.precision = precision.unwrap_or(usual);
        experiment.check_device(device)?;
        let padding = experiment.model.padding_compat.map(|stored| padding.unwrap_or(stored));
        experiment.model.padding_compat = padding;
        let table = table(record).map_err(|()| Error::file(file, "its table of the schedule is damaged; import it again"))?;
        let table = table.map(|gamma| import::stored(&gamma)).transpose()?;
        let trained = Self::with(Model::frozen_under(&experiment, table, device)?, loaded, file, device)?;
        Ok(Self { padding, precision: experiment.train.precision, experiment: Some(Box::new(experiment)), ..trained })
    }

    /// The same model, whose answers under a condition are moved away from those without.
    ///
    /// # Errors
    /// [`Error::Request`] for a model that was trained without properties, or that no experiment describes.
    pub fn guided(self, guidance: Guidance) -> Result<Self> {
        let refused =
            || Error::Request("guidance needs a model that was trained with properties (data.condition), which this one was not".into());
        let experiment = self.experiment.as_ref().filter(|_| self.conditions.is_some()).ok_or_else(refused)?;
        let model = self.model.guided(experiment, guidance)?.settled();
        Ok(Self { model, ..self })
    }

    /// The properties by which molecules can be asked for; `None` for a model that was trained without.
    pub fn conditions(&self) -> Option<&Conditions> {
        self.conditions.as_ref()
    }

    /// A model of your own with the averaged weights of a run directory or checkpoint; its parameters should be
    /// [frozen](symdiff_train::Parameters::frozen), so that it builds no graph. It is taken to compute in f32.
    ///
    /// # Errors
    /// When there is no checkpoint, it is damaged, or its weights are not those of the model.
    pub fn of(model: Model, path: &Path, device: &Device) -> Result<Self> {
        let file = checkpoint_of(path);
        Self::with(model, checkpoint::load(&file, device)?, &file, device)
    }

    fn with(model: Model, mut loaded: Checkpoint, file: &Path, device: &Device) -> Result<Self> {
        let weights = loaded.take("ema").and_then(|weights| model.parameters.load(&weights));
        weights.map_err(|error| TrainError::checkpoint(file, error))?;
        let sizes = sizes(&loaded.header.record).ok_or_else(|| Error::file(file, "knows no molecule sizes; train or import it again"))?;
        let conditions = loaded.header.record.facts.get(CONDITIONS).map(|facts| serde_json::from_value(facts.clone()));
        let conditions = conditions.transpose().map_err(|error| Error::file(file, error))?;
        let (model, header, weights_hash, device) = (model.settled(), loaded.header, loaded.weights_hash, device.clone());
        Ok(Self { model, padding: None, precision: Precision::F32, header, weights_hash, sizes, conditions, experiment: None, device })
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Draws molecules; `progress` is called with the fraction done.
    ///
    /// # Errors
    /// When the number of steps is not one of 1, …, T, when what is asked cannot be, or the denoiser fails.
    pub fn sample(&self, options: &Sampling, progress: &mut dyn FnMut(f64)) -> Result<Vec<Molecule>> {
        let mut molecules = Vec::new();
        self.sample_each(options, progress, |batch| {
            molecules.extend(batch);
            Ok::<_, Error>(())
        })?;
        Ok(molecules)
    }

    /// Draws molecules and passes them to `each` batch by batch, in order: only one batch is in memory at a time.
    ///
    /// # Errors
    /// As [`Trained::sample`], and the first one of `each`.
    pub fn sample_each<E: From<Error>>(
        &self,
        options: &Sampling,
        progress: &mut dyn FnMut(f64),
        each: impl FnMut(Vec<Molecule>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.sample_watched(options, 0, progress, each).map(drop)
    }

    /// The same molecules, with pictures of the first one forming: up to `frames` states of its trajectory, from noise to data, each named after its
    /// time, and the molecule itself. No frames for 0.
    ///
    /// # Errors
    /// As [`Trained::sample_each`].
    pub fn sample_watched<E: From<Error>>(
        &self,
        options: &Sampling,
        frames: usize,
        progress: &mut dyn FnMut(f64),
        each: impl FnMut(Vec<Molecule>) -> Result<(), E>,
    ) -> Result<Vec<Molecule>, E> {
        self.draw(options, Share::WHOLE, frames, progress, each)
    }

    /// A share of the batches of [`sample_each`](Self::sample_each): those of all shares, one after the other, are all of them, so on processes with
    /// equally many threads the molecules are the same bit for bit.
    ///
    /// # Errors
    /// As [`Trained::sample_each`].
    pub fn sample_share<E: From<Error>>(
        &self,
        options: &Sampling,
        share: Share,
        progress: &mut dyn FnMut(f64),
        each: impl FnMut(Vec<Molecule>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.draw(options, share, 0, progress, each).map(drop)
    }

    /// Draws a share of the batches, and `frames` states of the first molecule.
    fn draw<E: From<Error>>(
        &self,
        options: &Sampling,
        share: Share,
        frames: usize,
        progress: &mut dyn FnMut(f64),
        mut each: impl FnMut(Vec<Molecule>) -> Result<(), E>,
    ) -> Result<Vec<Molecule>, E> {
        let plan = || Plan::new(&self.sizes, self.conditions.as_ref(), options);
        let range = if share == Share::WHOLE { 0..options.count } else { plan()?.samples(share, options.batch)? };
        let mut plan = plan()?;
        let mut drawn = 0;
        let mut chain = Vec::new();
        while drawn < range.end {
            let wishes = plan.batch(options.batch)?;
            let first = drawn;
            drawn += wishes.len();
            if first < range.start {
                continue;
            }
            let sizes: Vec<usize> = wishes.iter().map(|wish| wish.atoms).collect();
            let samples = Samples::new((first as u64..drawn as u64).collect::<Vec<_>>());
            let layout = Ragged::new(&sizes, samples).map_err(Error::from)?;
            let before = (first - range.start) as f64;
            let done = |step: usize, steps: usize| (before + sizes.len() as f64 * step as f64 / steps as f64) / range.len() as f64;
            let batch = Batch { layout, plan: &plan, wishes: &wishes, frames: if first == 0 { frames } else { 0 } };
            let (molecules, states) = self.batch(batch, options, &mut |step, steps| progress(done(step, steps)))?;
            chain.extend(states);
            each(molecules)?;
        }
        Ok(chain)
    }

    /// Estimates the negative log-likelihood of molecules of a set, with `passes` independent draws each.
    ///
    /// # Errors
    /// When a molecule has an element that the model does not know, the denoiser fails, or an estimate is not finite.
    pub fn nll(
        &self,
        set: &MoleculeSet,
        places: &[usize],
        passes: usize,
        batch: usize,
        seed: u64,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Nll> {
        let known = self.of_seen_sizes(set, places);
        let totals = self.nll_each(set, &known, passes, batch, seed, progress)?;
        Nll::of(&totals, places.len() - known.len())
    }

    /// The places of molecules whose size occurs in the training set: the others have probability zero.
    pub fn of_seen_sizes(&self, set: &MoleculeSet, places: &[usize]) -> Vec<usize> {
        places.iter().copied().filter(|&place| self.log_size(set, place).is_some()).collect()
    }

    /// The estimate of [`nll`](Self::nll) for each molecule, in nats. Of a part of `places` that begins at a multiple of `batch` the estimates are those of
    /// the whole, bit for bit.
    ///
    /// # Errors
    /// As [`Trained::nll`].
    pub fn nll_each(
        &self,
        set: &MoleculeSet,
        places: &[usize],
        passes: usize,
        batch: usize,
        seed: u64,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Vec<f64>> {
        let draws = self.nll_draws(set, places, passes, batch, seed, progress)?;
        let mean = |draws: &Vec<f64>| draws.iter().fold(0.0, |sum, value| sum + value / passes as f64);
        Ok(places.iter().zip(&draws).map(|(&place, draws)| mean(draws) + self.size_nll(set, place)).collect())
    }

    /// The same before passes are averaged, given the size: for each molecule the estimate of every pass.
    pub(crate) fn nll_draws(
        &self,
        set: &MoleculeSet,
        places: &[usize],
        passes: usize,
        batch: usize,
        seed: u64,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Vec<Vec<f64>>> {
        let mut draws: Vec<Vec<f64>> = Vec::with_capacity(places.len());
        for chunk in places.chunks(batch) {
            let ids: Vec<u64> = chunk.iter().map(|&place| place as u64).collect();
            let clean = self.model.encoding.encode(set, chunk, Samples::new(ids), DType::F32, &self.device)?;
            let first = draws.len();
            draws.resize_with(first + chunk.len(), || Vec::with_capacity(passes));
            for noise in Noise::seeded(seed).repeats(passes) {
                let values = self.model.likelihood(&clean, noise)?.total()?.to_vec1::<f64>()?;
                for ((&place, draws), value) in chunk.iter().zip(&mut draws[first..]).zip(values) {
                    if !value.is_finite() {
                        return Err(Error::NotFinite { index: place, value });
                    }
                    draws.push(value);
                }
            }
            progress(draws.len() as f64 / places.len() as f64);
        }
        Ok(draws)
    }

    /// The molecules of a batch, and the first one forming.
    fn batch(&self, batch: Batch, options: &Sampling, progress: &mut dyn FnMut(usize, usize)) -> Result<(Vec<Molecule>, Vec<Molecule>)> {
        let Batch { layout, plan, wishes, frames } = batch;
        let [_, noise] = Noise::seeded(options.seed).split();
        let model = &self.model;
        let like = Molecules::blank(layout, model.encoding.features(), DType::F32, &self.device)?;
        let steps = options.steps.unwrap_or(model.process.steps());
        let Sampling { sampler: method, grid: spacing, frames: framing, churn, .. } = *options;
        let route = Route { method, steps, spacing, framing, churn };
        let asked = plan.asked(wishes, DType::F32, &self.device)?;
        let drawing = Drawing::new(model, &options.request, route, like, asked)?;
        let mut chain = Chain::new(drawing.times(), frames);
        let steps = drawing.times().len() - 1;
        let decoded = drawing.decoded(noise, &mut |step, state| {
            chain.see(step, state);
            progress(step, steps);
        })?;
        let molecules: Vec<Molecule> =
            decoded.molecules(&model.encoding)?.into_iter().zip(wishes).map(|(molecule, wish)| plan.noted(molecule, wish)).collect();
        let last = molecules.first().filter(|_| frames > 0).map(|molecule| molecule.clone().renamed("molecule"));
        Ok((molecules, chain.molecules(&model.encoding)?.into_iter().chain(last).collect()))
    }

    /// The parts of a set, without the molecules that the experiment leaves out for their size.
    pub fn parts(&self, set: &MoleculeSet) -> Split {
        self.experiment.as_ref().map_or_else(|| set.split(), |experiment| experiment.data.split(set))
    }

    /// Whether molecules of a set's training part, or of what the experiment takes of it, have the sizes that the model learned from.
    pub fn learned_from(&self, set: &MoleculeSet) -> bool {
        let split = self.experiment.as_ref().map_or_else(|| set.split(), |experiment| experiment.data.halved(set));
        SizeHistogram::new(split.train.iter().map(|&place| set.num_atoms(place))).is_some_and(|sizes| sizes.counts() == self.sizes.counts())
    }

    /// −log p(size) of a molecule, in nats; infinite of a size that the model never saw.
    pub(crate) fn size_nll(&self, set: &MoleculeSet, place: usize) -> f64 {
        self.log_size(set, place).map_or(f64::INFINITY, |log| -log)
    }

    /// The log-probability of a molecule's size.
    fn log_size(&self, set: &MoleculeSet, place: usize) -> Option<f64> {
        self.sizes.log_probability(set.num_atoms(place))
    }
}

/// What is drawn at once.
struct Batch<'a> {
    layout: Ragged,
    plan: &'a Plan<'a>,
    wishes: &'a [Wish],
    /// States of the first molecule that are kept.
    frames: usize,
}

/// The checkpoint of a run directory, or the file itself.
pub(crate) fn checkpoint_of(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(CHECKPOINT) } else { path.to_owned() }
}

/// The table of the schedule in an imported checkpoint.
fn table(record: &Record) -> Result<Option<Vec<f64>>, ()> {
    let stored = record.facts.get(import::TABLE);
    stored.map(|stored| serde_json::from_value(stored.clone())).transpose().map_err(drop)
}

/// How often each size occurs among the molecules of a record.
fn sizes(record: &Record) -> Option<SizeHistogram> {
    let counts: Vec<(usize, u64)> = serde_json::from_value(record.facts.get("sizes")?.clone()).ok()?;
    SizeHistogram::from_counts(counts).ok()
}
