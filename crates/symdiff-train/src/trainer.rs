//! The training loop: resumable at any step, reproducible bit for bit.
//!
//! Step k is a function of the weights, the optimiser's state, the seed and k; nothing else is carried along. A run directory holds
//! `experiment.toml`, `metrics.jsonl`, TensorBoard events and `last.safetensors`.

use crate::batches::Batches;
use crate::checkpoint::{self, Checkpoint, Header};
use crate::experiment::Experiment;
use crate::metrics::{Metrics, Row};
use crate::model::Model;
use crate::optimiser::Optimiser;
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use symdiff_mol::data::SizeHistogram;
use symdiff_ops::{Noise, Steps, gradients};

/// The name of the checkpoint in a run directory.
pub const CHECKPOINT: &str = "last.safetensors";

/// A run in progress.
pub struct Trainer {
    experiment: Experiment,
    seed: u64,
    folder: PathBuf,
    device: Device,
    model: Model,
    optimiser: Optimiser,
    batches: Batches,
    sizes: SizeHistogram,
    draws: Steps,
    /// Losses and gradient norms of the last steps, not yet read.
    unread: Vec<[Tensor; 2]>,
    step: u64,
    seconds: f64,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Optimiser steps done.
    pub step: u64,
    /// The fraction of the budget that is spent.
    pub done: f64,
    /// The mean loss since the previous status.
    pub loss: f64,
    /// Throughput since the previous status.
    pub molecules_per_s: f64,
}

/// What a run came to.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Optimiser steps done.
    pub steps: u64,
    /// Passes over the training set.
    pub epochs: f64,
    /// Seconds of training, all sessions together.
    pub seconds: f64,
    /// Mean loss of the last hundred steps of this session.
    pub loss: f64,
    /// Mean throughput of this session.
    pub molecules_per_s: f64,
}

impl Trainer {
    /// True when a run directory holds a checkpoint to go on from.
    pub fn has_checkpoint(folder: &Path) -> bool {
        folder.join(CHECKPOINT).exists()
    }

    /// A fresh run in `folder`, which is made.
    ///
    /// # Errors
    /// When the data cannot be read, the sizes do not fit, or the folder cannot be written.
    pub fn start(experiment: Experiment, seed: u64, folder: &Path, device: &Device) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io(folder, "create the run folder"))?;
        crate::atomic::write(&folder.join("experiment.toml"), experiment.to_toml()?.as_bytes())?;
        Self::assemble(experiment, seed, folder, device)
    }

    /// Goes on with the run in `folder`. A given experiment replaces the recorded one in its budget and logging; the rest must be equal.
    ///
    /// # Errors
    /// When the checkpoint is damaged, belongs to another experiment, or the data has changed.
    pub fn resume(folder: &Path, experiment: Option<Experiment>, device: &Device) -> Result<Self> {
        let path = folder.join(CHECKPOINT);
        let loaded = checkpoint::load(&path, device)?;
        let recorded = Experiment::parse(&loaded.header.experiment, &[])?;
        let experiment = experiment.unwrap_or_else(|| recorded.clone());
        if !experiment.continues(&recorded) {
            let problem = "was made by another experiment; resume with the recorded one, or choose another folder";
            return Err(Error::checkpoint(&path, problem));
        }
        let mut trainer = Self::assemble(experiment, loaded.header.seed, folder, device)?;
        trainer.restore(loaded).map_err(|error| match error {
            Error::Weights(problem) => Error::checkpoint(&path, problem),
            other => other,
        })?;
        Ok(trainer)
    }

    /// The number of parameters.
    pub fn parameters(&self) -> usize {
        self.model.parameters.count()
    }

    /// Trains until the budget is spent, reporting about ten times a second.
    ///
    /// # Errors
    /// [`Error::Diverged`] when the loss or its gradient is no number; [`Error::Io`] when the disk refuses. The last checkpoint stays.
    pub fn run(&mut self, report: &mut dyn FnMut(&Status)) -> Result<Summary> {
        let mut metrics = Metrics::open(&self.folder, self.step)?;
        let mut clock = Clock::new(self.step, self.seconds);
        let mut recent: Vec<f64> = Vec::new();
        let mut saved = Instant::now();
        while self.fraction_done() < 1.0 {
            self.advance()?;
            self.seconds = clock.total();
            // On a CPU nothing is gained by waiting with it.
            if !self.device.is_cpu() && !self.step.is_multiple_of(self.experiment.train.log_every) && self.fraction_done() < 1.0 {
                continue;
            }
            let read = self.read()?;
            recent.extend(read.iter().map(|[loss, _]| loss));
            let Some(&[loss, norm]) = read.last() else { continue };
            if self.step.is_multiple_of(self.experiment.train.log_every) {
                let molecules_per_s = clock.lap(self.step) * self.experiment.train.batch as f64;
                let lr = self.rate(self.step - 1);
                metrics.push(&Row { step: self.step, loss, gradient_norm: norm, lr, seconds: self.seconds, molecules_per_s })?;
            }
            if let Some(molecules_per_s) = clock.report(self.step, self.experiment.train.batch) {
                let window = &recent[recent.len().saturating_sub(100)..];
                let loss = window.iter().sum::<f64>() / window.len() as f64;
                report(&Status { step: self.step, done: self.fraction_done(), loss, molecules_per_s });
            }
            if saved.elapsed().as_secs_f64() > 60.0 * self.experiment.train.checkpoint_minutes {
                self.save()?;
                saved = Instant::now();
            }
        }
        self.save()?;
        let window = &recent[recent.len().saturating_sub(100)..];
        Ok(Summary {
            steps: self.step,
            epochs: self.step as f64 / self.batches.per_epoch() as f64,
            seconds: self.seconds,
            loss: window.iter().sum::<f64>() / window.len().max(1) as f64,
            molecules_per_s: (recent.len() * self.experiment.train.batch) as f64 / clock.session(),
        })
    }

    /// Writes the checkpoint.
    ///
    /// # Errors
    /// [`Error::Io`] when the disk refuses; the previous checkpoint stays.
    pub fn save(&self) -> Result<()> {
        let history = self.optimiser.clip().history();
        let mut header = Header::new(self.step, self.seconds, self.seed, history, self.experiment.to_toml()?);
        header.sizes = self.sizes.counts().to_vec();
        checkpoint::save(&self.folder.join(CHECKPOINT), &header, &self.optimiser.tensors()?)
    }

    /// One optimiser step. The batch's mean loss and the gradient norm before clipping are to be read.
    fn advance(&mut self) -> Result<()> {
        let batch = self.batches.at(self.step, DType::F32, &self.device)?;
        let (loss, gradients) = gradients(|| Ok::<_, Error>(self.model.loss(&batch, self.draws.at(self.step))?.mean_all()?))?;
        let norm = self.optimiser.step(gradients, self.rate(self.step), self.step)?;
        self.unread.push([loss.detach(), norm]);
        self.step += 1;
        Ok(())
    }

    /// The loss and the gradient norm of every step since the last reading, in one transfer.
    fn read(&mut self) -> Result<Vec<[f64; 2]>> {
        let first = self.step - self.unread.len() as u64;
        let unread = std::mem::take(&mut self.unread);
        let numbers = unread.iter().flatten().map(|number| number.to_dtype(DType::F64)).collect::<candle_core::Result<Vec<_>>>()?;
        let numbers = Tensor::stack(&numbers, 0)?.to_vec1::<f64>()?;
        let read = numbers.as_chunks::<2>().0.to_vec();
        for (step, values) in (first..).zip(&read) {
            for (what, &value) in ["loss", "gradient norm"].into_iter().zip(values) {
                if !value.is_finite() {
                    return Err(Error::Diverged { step, what, value });
                }
            }
        }
        Ok(read)
    }

    /// The learning rate of step `step`, from 0.
    fn rate(&self, step: u64) -> f64 {
        let train = &self.experiment.train;
        let rise = if step < train.warmup { (step + 1) as f64 / train.warmup as f64 } else { 1.0 };
        let fall = if train.cosine { 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / train.steps as f64).cos()) } else { 1.0 };
        train.lr * rise * fall
    }

    fn fraction_done(&self) -> f64 {
        let train = &self.experiment.train;
        let part = |done: f64, limit: f64| if limit > 0.0 { done / limit } else { 0.0 };
        part(self.step as f64, train.steps as f64)
            .max(part(self.step as f64, (train.epochs * self.batches.per_epoch()) as f64))
            .max(part(self.seconds, 60.0 * train.minutes))
    }

    fn assemble(experiment: Experiment, seed: u64, folder: &Path, device: &Device) -> Result<Self> {
        experiment.check_device(device)?;
        let [start, data, draws] = Noise::seeded(seed).split();
        let set = experiment.molecules()?;
        let train = set.split().train;
        let sizes = SizeHistogram::new(train.iter().map(|&place| set.num_atoms(place)))
            .ok_or_else(|| Error::Config("the training set is empty".into()))?;
        let model = Model::fresh(&experiment, seed, start, device)?;
        let optimiser = Optimiser::new(&model.parameters, &experiment.train)?;
        let batches = Batches::new(set, train, experiment.encoding()?, experiment.train.batch, experiment.data.augment, data)?;
        let (folder, device, draws) = (folder.to_owned(), device.clone(), draws.steps());
        Ok(Self { experiment, seed, folder, device, model, optimiser, batches, sizes, draws, unread: Vec::new(), step: 0, seconds: 0.0 })
    }

    fn restore(&mut self, loaded: Checkpoint) -> Result<()> {
        let Checkpoint { header, mut tensors } = loaded;
        let mut kind = |kind: &str| -> Result<BTreeMap<String, Tensor>> {
            tensors.remove(kind).ok_or_else(|| Error::Weights(format!("no `{kind}` tensors; this file cannot be trained on")))
        };
        self.model.parameters.load(&kind("param")?)?;
        self.optimiser.load([kind("m")?, kind("v")?, kind("vmax")?, kind("ema")?], &header.norms)?;
        (self.step, self.seconds) = (header.step, header.seconds);
        Ok(())
    }
}

/// Wall-clock bookkeeping of a session.
struct Clock {
    start: Instant,
    before: f64,
    lap: (Instant, u64),
    shown: (Instant, u64),
}

impl Clock {
    fn new(step: u64, seconds: f64) -> Self {
        let now = Instant::now();
        Self { start: now, before: seconds, lap: (now, step), shown: (now, step) }
    }

    /// Seconds of training, earlier sessions included.
    fn total(&self) -> f64 {
        self.before + self.session()
    }

    fn session(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Steps a second since the last lap.
    fn lap(&mut self, step: u64) -> f64 {
        let (since, from) = std::mem::replace(&mut self.lap, (Instant::now(), step));
        (step - from) as f64 / since.elapsed().as_secs_f64().max(1e-9)
    }

    /// Molecules a second since the last report, when a tenth of a second has passed.
    fn report(&mut self, step: u64, batch: usize) -> Option<f64> {
        let (since, from) = self.shown;
        let elapsed = since.elapsed();
        (elapsed > Duration::from_millis(100)).then(|| {
            self.shown = (Instant::now(), step);
            (step - from) as f64 * batch as f64 / elapsed.as_secs_f64()
        })
    }
}
