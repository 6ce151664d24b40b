//! The training loop: resumable at any step, reproducible bit for bit.
//!
//! Step k is a function of the variables, the optimiser's state, the seed and k; nothing else is carried along. A run directory holds
//! `last.safetensors`, `metrics.jsonl` and TensorBoard events, with validation also `validation.jsonl` and `best.safetensors`.

mod start;
mod step;

use crate::checkpoint::{self, Header};
use crate::clock::Clock;
use crate::metrics::{Metrics, Row, ValidationRow};
use crate::ranks::{Buckets, gather_numbers, in_tree};
use crate::{Alone, Error, FolderLock, Optimiser, Ranks, Result, Scores, Settings, Share, Task, Variables};
use candle_core::{DType, Tensor};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;
use symdiff_ops::Steps;

/// The name of the checkpoint in a run directory.
pub const CHECKPOINT: &str = "last.safetensors";

/// The name of the checkpoint with the lowest validation loss.
pub const BEST: &str = "best.safetensors";

/// A run in progress. While it exists it holds the lock of its folder.
///
/// On several processes each has a trainer, and all of them take the same steps; rank 0 alone writes. A process that fails returns its error, and
/// it is for the caller to end the others: they wait for it.
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
    /// Whether gradients are summed over processes beside the backward pass, on all processes.
    overlaps: bool,
    /// In which order, once that is known.
    buckets: Option<Buckets>,
    /// Held by rank 0.
    _lock: Option<FolderLock>,
    /// Parts of losses and gradient norms of the last steps, which have not been transferred from the device.
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
    /// [`Error::Diverged`] when the loss or its gradient is no number; [`Error::Output`] and [`Error::Io`] when the disk refuses; [`Error::Ranks`] when another process is lost
    /// or out of step, or when a gradient was summed over processes before it was complete; what the task meets. The last
    /// checkpoint stays.
    pub fn run(&mut self, report: &mut dyn FnMut(&Status) -> ControlFlow<()>) -> Result<Summary, T::Error> {
        let mut metrics = (self.ranks.rank() == 0).then(|| Metrics::open(&self.folder, self.step)).transpose()?;
        let mut clock = Clock::new(self.step, self.seconds);
        let mut recent: Vec<f64> = Vec::new();
        let mut saved = Instant::now();
        let mut looked = Instant::now();
        let Settings { batch, log_every, validate_every, checkpoint_minutes, .. } = self.settings;
        let mut finished = true;
        let mut stop = false;
        while self.fraction_done() < 1.0 {
            self.advance()?;
            let logged = self.step.is_multiple_of(log_every);
            let validated = validate_every > 0 && self.step.is_multiple_of(validate_every);
            if !logged && !validated && !self.looks(looked) && self.fraction_done() < 1.0 {
                continue;
            }
            looked = Instant::now();
            let read = self.read(clock.total())?;
            recent.extend(read.iter().map(|[loss, _]| loss));
            recent.drain(..recent.len().saturating_sub(WINDOW));
            let Some(&[loss, gradient_norm]) = read.last() else { continue };
            if let Some(metrics) = metrics.as_mut().filter(|_| logged) {
                let samples_per_s = clock.lap(self.step) * batch as f64;
                let lr = self.settings.rate(self.step - 1);
                metrics.push(&Row { step: self.step, loss, gradient_norm, lr, seconds: self.seconds, samples_per_s })?;
            }
            if validated {
                self.validate(metrics.as_mut())?;
            }
            if let Some(samples_per_s) = clock.report(self.step, batch) {
                let status = Status { step: self.step, done: self.fraction_done(), loss: mean(&recent), samples_per_s };
                stop |= report(&status).is_break();
            }
            if self.ranks.any(stop)? && self.fraction_done() < 1.0 {
                finished = false;
                break;
            }
            if saved.elapsed().as_secs_f64() > 60.0 * checkpoint_minutes {
                self.save()?;
                saved = Instant::now();
            }
        }
        self.save()?;
        // Nobody leaves before the checkpoint is whole: launchers end a job when its first process has ended badly.
        self.ranks.any(false)?;
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
    /// [`Error::Output`] when the disk refuses; the previous checkpoint stays.
    pub fn save(&self) -> Result<()> {
        self.save_as(CHECKPOINT)
    }

    fn save_as(&self, name: &str) -> Result<()> {
        if self.ranks.rank() != 0 {
            return Ok(());
        }
        checkpoint::save(&self.folder.join(name), &self.header(), &self.optimiser.tensors()?)
    }

    fn header(&self) -> Header {
        Header::new(self.step, self.seconds, self.seed, self.optimiser.clip().history(), self.task.record())
    }

    /// Whether to read what is unread after a step that is not logged. On a CPU nothing is gained by reading later. On a GPU each reading
    /// synchronises with the device; one a second costs nothing, and reports, which may ask the run to stop, and checkpoints depend on it. Several
    /// processes must read after the same step, so they count steps.
    fn looks(&self, last: Instant) -> bool {
        let due = if self.ranks.size() == 1 { last.elapsed().as_secs() >= 1 } else { self.step.is_multiple_of(SEVERAL) };
        due || self.variables.device().is_cpu()
    }

    /// Validates the averaged weights, and saves a checkpoint when they are the best so far.
    fn validate(&self, metrics: Option<&mut Metrics>) -> Result<(), T::Error> {
        let share = Share::of(&self.ranks);
        let losses = self.optimiser.averaged(|| self.task.validate(share, self.validation.at(0)))?;
        let losses = gather_numbers(&self.ranks, &losses)?.concat();
        let Some(scores) = Scores::of(&losses) else { return Ok(()) };
        if !scores.loss.is_finite() {
            return Err(Error::Diverged { step: self.step, what: "validation loss", value: scores.loss }.into());
        }
        let Some(metrics) = metrics else { return Ok(()) };
        let row = ValidationRow { step: self.step, seconds: self.seconds, scores };
        // The checkpoint first: a kill in between leaves a better checkpoint without its row, never a row without its checkpoint.
        if row.scores.loss < metrics.best(scores.samples) {
            self.save_as(BEST)?;
        }
        Ok(metrics.push_validation(&row)?)
    }

    /// The loss and the gradient norm of every step since the last reading, in one transfer from the device and one exchange between processes. The clock
    /// is that of rank 0.
    fn read(&mut self, seconds: f64) -> Result<Vec<[f64; 2]>> {
        let first = self.step - self.unread.len() as u64;
        let unread = std::mem::take(&mut self.unread);
        let numbers = unread.iter().flatten().map(|number| number.to_dtype(DType::F64)).collect::<candle_core::Result<Vec<_>>>()?;
        let mut mine = vec![seconds];
        mine.extend(Tensor::stack(&numbers, 0)?.to_vec1::<f64>()?);
        let all = gather_numbers(&self.ranks, &mine)?;
        if let Some(rank) = all.iter().position(|numbers| numbers.len() != mine.len()) {
            return Err(Error::Ranks(format!("rank {rank} is not at step {}; every rank must take the same steps", self.step)));
        }
        self.seconds = all[0][0];
        let mut read = mine[1..].as_chunks::<2>().0.to_vec();
        for (place, [loss, _]) in read.iter_mut().enumerate() {
            let parts = all.iter().map(|numbers| Ok::<_, Error>(numbers[1 + 2 * place]));
            *loss = in_tree(parts, |a, b| Ok(a + b))?.unwrap_or(f64::NAN);
        }
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
}

/// Steps whose mean loss is reported.
const WINDOW: usize = 100;

/// Steps between readings on the GPUs of several processes.
const SEVERAL: u64 = 16;

/// NaN of none.
fn mean(losses: &[f64]) -> f64 {
    losses.iter().sum::<f64>() / losses.len() as f64
}
