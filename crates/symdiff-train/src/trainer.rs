//! The training loop: resumable at any step, reproducible bit for bit.
//!
//! Step k is a function of the variables, the optimiser's state, the seed and k; nothing else is carried along. A run directory holds
//! `last.safetensors`, `metrics.jsonl` and TensorBoard events, with validation also `validation.jsonl` and `best.safetensors`.

use crate::atomic;
use crate::checkpoint::{self, Checkpoint, Header};
use crate::clock::Clock;
use crate::metrics::{Metrics, Row, ValidationRow};
use crate::{Alone, Error, FolderLock, Optimiser, Ranks, Result, Settings, Share, Streams, Task, Variables};
use candle_core::{DType, Tensor};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;
use symdiff_ops::adamw::Parts;
use symdiff_ops::{Steps, gradients};

/// The name of the checkpoint in a run directory.
pub const CHECKPOINT: &str = "last.safetensors";

/// The name of the checkpoint with the lowest validation loss.
pub const BEST: &str = "best.safetensors";

/// A run in progress. While it exists it holds the lock of its folder.
#[derive(Debug)]
pub struct Trainer<T: Task, R: Ranks = Alone> {
    task: T,
    variables: Variables,
    settings: Settings,
    seed: u64,
    folder: PathBuf,
    optimiser: Optimiser,
    draws: Steps,
    validation: Steps,
    ranks: R,
    _lock: FolderLock,
    /// Losses and gradient norms of the last steps that have not been transferred from the device.
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
    /// The mean loss of up to a hundred last steps.
    pub loss: f64,
    /// Throughput since the previous status.
    pub samples_per_s: f64,
}

/// The result of a run.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Optimiser steps done.
    pub steps: u64,
    /// Passes over the training set; 0 where they mean nothing.
    pub epochs: f64,
    /// Seconds of training, those before interruptions included.
    pub seconds: f64,
    /// Mean loss of the last hundred steps of this session; NaN when it took none.
    pub loss: f64,
    /// Mean throughput since training was started or resumed.
    pub samples_per_s: f64,
    /// False when the run was asked to stop before its budget was spent.
    pub finished: bool,
}

impl<T: Task> Trainer<T> {
    /// True when a run directory holds a checkpoint to go on from.
    pub fn has_checkpoint(folder: &Path) -> bool {
        folder.join(CHECKPOINT).exists()
    }

    /// A fresh run in `folder`, which is made. `variables` are what the task's loss depends on, and what is learned.
    ///
    /// # Errors
    /// [`Error::Settings`] when a setting is out of its range, [`Error::Busy`] when another process writes in the folder, [`Error::Checkpoint`] when
    /// it holds a run already, [`Error::Io`] when it cannot be written.
    pub fn start(task: T, variables: impl Into<Variables>, settings: Settings, seed: u64, folder: &Path) -> Result<Self> {
        settings.check()?;
        std::fs::create_dir_all(folder).map_err(Error::io(folder, "create the run folder"))?;
        let lock = FolderLock::acquire(folder)?;
        if Self::has_checkpoint(folder) {
            return Err(Error::checkpoint(&folder.join(CHECKPOINT), "is that of a run; resume it, or choose another folder"));
        }
        Self::assemble(task, variables.into(), settings, seed, folder, lock)
    }

    /// Goes on with the run in `folder`, whose task and seed must be the same; budget and logging may differ.
    ///
    /// # Errors
    /// As [`start`](Self::start), and [`Error::Checkpoint`] when the checkpoint is damaged, or belongs to another task or seed.
    pub fn resume(task: T, variables: impl Into<Variables>, settings: Settings, seed: u64, folder: &Path) -> Result<Self> {
        settings.check()?;
        let variables = variables.into();
        let path = folder.join(CHECKPOINT);
        if !path.exists() {
            return Err(Error::checkpoint(&path, "does not exist; there is no run to resume"));
        }
        let lock = FolderLock::acquire(folder)?;
        let loaded = checkpoint::load(&path, &variables.device())?;
        task.continues(&loaded.header.record).map_err(|problem| Error::checkpoint(&path, problem))?;
        if loaded.header.seed != seed {
            let problem = format!("was started with seed {}, not {seed}; leave the seed out or choose another folder", loaded.header.seed);
            return Err(Error::checkpoint(&path, problem));
        }
        let mut trainer = Self::assemble(task, variables, settings, seed, folder, lock)?;
        trainer.restore(loaded).map_err(|error| match error {
            Error::Weights(problem) => Error::checkpoint(&path, problem),
            other => other,
        })?;
        Ok(trainer)
    }

    fn assemble(task: T, variables: Variables, settings: Settings, seed: u64, folder: &Path, lock: FolderLock) -> Result<Self> {
        // The lock is held: what is half written belongs to a process that was killed.
        [CHECKPOINT, BEST].iter().for_each(|name| atomic::sweep(&folder.join(name)));
        let optimiser = Optimiser::new(&variables, settings.optimiser())?;
        let Streams { draws, validation, .. } = Streams::of(seed);
        let folder = folder.to_owned();
        let unread = Vec::new();
        Ok(Self {
            task,
            variables,
            settings,
            seed,
            folder,
            optimiser,
            draws,
            validation,
            ranks: Alone,
            _lock: lock,
            unread,
            step: 0,
            seconds: 0.0,
        })
    }
}

impl<T: Task, R: Ranks> Trainer<T, R> {
    /// What is trained.
    pub fn task(&self) -> &T {
        &self.task
    }

    /// What is learned.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// Trains until the budget is spent, reporting about ten times a second. When the report answers [`ControlFlow::Break`], the run saves and ends.
    ///
    /// # Errors
    /// [`Error::Diverged`] when the loss or its gradient is no number; [`Error::Io`] when the disk refuses; what the task meets. The last
    /// checkpoint stays.
    pub fn run(&mut self, report: &mut dyn FnMut(&Status) -> ControlFlow<()>) -> Result<Summary, T::Error> {
        let mut metrics = Metrics::open(&self.folder, self.step)?;
        let mut clock = Clock::new(self.step, self.seconds);
        let mut recent: Vec<f64> = Vec::new();
        let mut saved = Instant::now();
        let mut looked = Instant::now();
        let on_host = self.variables.device().is_cpu();
        let Settings { batch, log_every, validate_every, checkpoint_minutes, .. } = self.settings;
        let mut finished = true;
        while self.fraction_done() < 1.0 {
            self.advance()?;
            self.seconds = clock.total();
            let logged = self.step.is_multiple_of(log_every);
            let validated = validate_every > 0 && self.step.is_multiple_of(validate_every);
            // On a CPU nothing is gained by reading later. On a GPU each reading synchronises with the device; one a second costs nothing, and
            // reports, which may ask the run to stop, and checkpoints depend on it.
            if !on_host && !logged && !validated && looked.elapsed().as_secs() < 1 && self.fraction_done() < 1.0 {
                continue;
            }
            looked = Instant::now();
            let read = self.read()?;
            recent.extend(read.iter().map(|[loss, _]| loss));
            recent.drain(..recent.len().saturating_sub(WINDOW));
            let Some(&[loss, gradient_norm]) = read.last() else { continue };
            if logged {
                let samples_per_s = clock.lap(self.step) * batch as f64;
                let lr = self.settings.rate(self.step - 1);
                metrics.push(&Row { step: self.step, loss, gradient_norm, lr, seconds: self.seconds, samples_per_s })?;
            }
            if validated {
                self.validate(&mut metrics)?;
            }
            if let Some(samples_per_s) = clock.report(self.step, batch) {
                let status = Status { step: self.step, done: self.fraction_done(), loss: mean(&recent), samples_per_s };
                if report(&status).is_break() && self.fraction_done() < 1.0 {
                    finished = false;
                    break;
                }
            }
            if saved.elapsed().as_secs_f64() > 60.0 * checkpoint_minutes {
                self.save()?;
                saved = Instant::now();
            }
        }
        self.save()?;
        Ok(Summary {
            steps: self.step,
            epochs: self.task.steps_per_epoch().map_or(0.0, |steps| self.step as f64 / steps as f64),
            seconds: self.seconds,
            loss: mean(&recent),
            samples_per_s: clock.rate(self.step) * batch as f64,
            finished,
        })
    }

    /// Writes the checkpoint.
    ///
    /// # Errors
    /// [`Error::Io`] when the disk refuses; the previous checkpoint stays.
    pub fn save(&self) -> Result<()> {
        self.save_as(CHECKPOINT)
    }

    fn save_as(&self, name: &str) -> Result<()> {
        if self.ranks.rank() != 0 {
            return Ok(());
        }
        let header = Header::new(self.step, self.seconds, self.seed, self.optimiser.clip().history(), self.task.record());
        checkpoint::save(&self.folder.join(name), &header, &self.optimiser.tensors()?)
    }

    /// One optimiser step. The mean loss of the batch and the gradient norm before clipping stay on the device until they are read.
    fn advance(&mut self) -> Result<(), T::Error> {
        let batch = self.task.batch(self.step, Share::WHOLE)?;
        let (loss, store) = gradients(|| {
            let losses = self.task.loss(&batch, self.draws.at(self.step)).map_err(Met)?;
            Ok(losses.mean_all().map_err(symdiff_ops::Error::from)?)
        })
        .map_err(|Met(error)| error)?;
        let norm = self.optimise(store)?;
        self.unread.push([loss.detach(), norm]);
        self.step += 1;
        Ok(())
    }

    fn optimise(&mut self, store: candle_core::backprop::GradStore) -> Result<Tensor> {
        let gradients = self.optimiser.gradients(store);
        self.optimiser.step(&gradients, self.settings.rate(self.step), self.step)
    }

    /// Validates the averaged weights, and saves a checkpoint when they are the best so far.
    fn validate(&self, metrics: &mut Metrics) -> Result<(), T::Error> {
        let scores = self.optimiser.averaged(|| self.task.validate(self.validation.at(0)))?;
        let Some(scores) = scores else { return Ok(()) };
        let row = ValidationRow { step: self.step, seconds: self.seconds, scores };
        if !scores.loss.is_finite() {
            return Err(Error::Diverged { step: self.step, what: "validation loss", value: scores.loss }.into());
        }
        // The checkpoint first: a kill in between leaves a better checkpoint without its row, never a row without its checkpoint.
        if row.scores.loss < metrics.best(scores.samples) {
            self.save_as(BEST)?;
        }
        Ok(metrics.push_validation(&row)?)
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

    fn fraction_done(&self) -> f64 {
        self.settings.spent(self.step, self.seconds, self.task.steps_per_epoch())
    }

    fn restore(&mut self, mut loaded: Checkpoint) -> Result<()> {
        self.variables.load(&loaded.take("param")?)?;
        let maximum = self.settings.amsgrad.then(|| loaded.take("vmax")).transpose()?;
        let moments = Parts { first: loaded.take("m")?, second: loaded.take("v")?, maximum, average: loaded.take("ema")? };
        self.optimiser.load(&moments, &loaded.header.norms)?;
        (self.step, self.seconds) = (loaded.header.step, loaded.header.seconds);
        Ok(())
    }
}

/// A task's error, into which those of ops can be turned.
struct Met<E>(E);

impl<E: From<Error>> From<symdiff_ops::Error> for Met<E> {
    fn from(error: symdiff_ops::Error) -> Self {
        Self(Error::from(error).into())
    }
}

/// Steps whose mean loss is reported.
const WINDOW: usize = 100;

/// NaN of none.
fn mean(losses: &[f64]) -> f64 {
    losses.iter().sum::<f64>() / losses.len() as f64
}
