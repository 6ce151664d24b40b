//! `--dry-run`: what a training takes on this machine, from its settings and a few seconds of it.

use crate::failure::{Failure, Outcome};
use candle_core::Device;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::time::Instant;
use symdiff_models::{Error, Experiment, memory, property, start};
use symdiff_train::{Alone, Status, Task, Trainer};

/// Training is measured for this many seconds, and for at least one step.
const MEASURED: f64 = 3.0;

/// What a training takes.
pub(crate) struct Plan {
    /// Trainable numbers.
    parameters: usize,
    /// An estimate for a step on molecules of mean size.
    memory_bytes: f64,
    steps: f64,
    seconds_per_step: f64,
}

/// How far the measured training had come, and when.
#[derive(Clone, Copy, Default)]
struct Mark {
    seconds: f64,
    steps: f64,
    done: f64,
}

impl Plan {
    /// Trains for a few seconds in a folder that is removed afterwards.
    pub(crate) fn of(mut experiment: Experiment, seed: u64, device: &Device) -> Outcome<Self> {
        // This process is measured alone.
        experiment.train.overlap = false;
        let folder = tempfile::tempdir().map_err(|error| Failure::run(format!("cannot make a temporary folder: {error}")))?;
        let memory_bytes = memory::training(&experiment, &experiment.molecules()?)?;
        let folder = folder.path();
        if experiment.property.is_some() {
            return Self::measured(property::start_with(Alone, experiment, seed, folder, device)?, memory_bytes);
        }
        Self::measured(start(experiment, seed, folder, device)?, memory_bytes)
    }

    /// Trains for a few seconds.
    fn measured<T: Task<Error = Error>>(mut trainer: Trainer<T>, memory_bytes: f64) -> Outcome<Self> {
        let parameters = trainer.variables().count();
        let (began, mut marks) = (Instant::now(), Vec::new());
        let mut mark = |status: &Status| {
            let seconds = began.elapsed().as_secs_f64();
            marks.push(Mark { seconds, steps: status.step as f64, done: status.done });
            if seconds > MEASURED { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let summary = trainer.run(&mut mark)?;
        let whole = Mark { seconds: summary.seconds, steps: summary.steps as f64, done: 1.0 };
        // The first steps also allocate memory: they count only where there are no others.
        let (from, to) = match marks[..] {
            [] => (Mark::default(), whole),
            [one] => (Mark::default(), one),
            [first, .., last] => (first, last),
        };
        let seconds_per_step = (to.seconds - from.seconds) / (to.steps - from.steps);
        Ok(Self { parameters, memory_bytes, steps: (to.steps - from.steps) / (to.done - from.done), seconds_per_step })
    }

    /// The same for a training of so many minutes.
    pub(crate) fn lasting(self, minutes: f64) -> Self {
        Self { steps: (60.0 * minutes / self.seconds_per_step).floor().max(1.0), ..self }
    }

    /// Steps of training.
    pub(crate) fn steps(&self) -> u64 {
        self.steps as u64
    }

    /// Seconds per step.
    pub(crate) fn seconds_per_step(&self) -> f64 {
        self.seconds_per_step
    }

    /// Hours of training.
    pub(crate) fn hours(&self) -> f64 {
        self.steps * self.seconds_per_step / 3600.0
    }

    /// The keys of the summary.
    pub(crate) fn json(&self) -> Value {
        json!({
            "parameters": self.parameters,
            "memory_bytes": self.memory_bytes.round() as u64,
            "steps": self.steps.round() as u64,
            "seconds_per_step": self.seconds_per_step,
            "hours": self.hours(),
        })
    }

    /// A line for people.
    pub(crate) fn line(&self, name: &str) -> String {
        format!(
            "{name:<24} {:>12} parameters  {:>6.1} GiB  {:>9.0} steps of {:.3} s  {:>8.2} h\n",
            self.parameters,
            self.memory_bytes / f64::from(1 << 30),
            self.steps,
            self.seconds_per_step,
            self.hours()
        )
    }
}
