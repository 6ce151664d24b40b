//! What is trained: a value of the user's.

use crate::{Error, Result, Share};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use symdiff_ops::{Noise, Steps};

/// A training problem: where batches come from, and what their loss is.
///
/// Both are functions of their arguments alone. That is what makes a run resumable at any step, and divisible over processes.
pub trait Task {
    /// What a step learns from.
    type Batch;

    /// How the task fails; failures of the loop itself are turned into it.
    type Error: From<Error>;

    /// This share of the batch of step `step` (from 0). Sample ids are places in the whole batch, whatever the share, and so is all that a loss depends on
    /// beyond its own sample.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn batch(&self, step: u64, share: Share) -> Result<Self::Batch, Self::Error>;

    /// The loss of each sample of a batch, `[B]`, differentiable in the variables that the trainer was given.
    ///
    /// # Errors
    /// Whatever the model meets.
    fn loss(&self, batch: &Self::Batch, noise: Noise) -> Result<Tensor, Self::Error>;

    /// The losses of this share of the samples that the model does not learn from: called every [`validate_every`](crate::Settings::validate_every) steps
    /// with the averaged weights in place and the same noise each time. The losses of all shares, one after the other, are the same however
    /// many there are (divide batches, not samples: last bits may depend on the others of a batch); none where there is nothing to validate on.
    ///
    /// # Errors
    /// Whatever the model meets.
    fn validate(&self, _share: Share, _noise: Noise) -> Result<Vec<f64>, Self::Error> {
        Ok(Vec::new())
    }

    /// Steps in one pass over the data, where passes mean something: what a budget in epochs is counted by.
    fn steps_per_epoch(&self) -> Option<u64> {
        None
    }

    /// What a checkpoint keeps of the task, so that it can be recognised and rebuilt.
    fn record(&self) -> Record {
        Record::default()
    }

    /// Refuses to go on from a checkpoint of another task. By default the descriptions must be equal.
    ///
    /// # Errors
    /// With a sentence that tells the difference.
    fn continues(&self, recorded: &Record) -> Result<(), String> {
        if self.record().description == recorded.description {
            Ok(())
        } else {
            Err("was made by another task; choose another folder".into())
        }
    }
}

/// What a checkpoint keeps of a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The task, as its own kind of file describes it.
    pub description: String,
    /// What a user of the weights needs to know of the training data.
    pub facts: Value,
}

/// How well a model does on held-out data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The mean loss.
    pub loss: f64,
    /// Its standard error over samples.
    pub standard_error: f64,
    /// How many samples it is over.
    pub samples: usize,
}

impl Scores {
    /// Mean and standard error of losses; `None` of none.
    pub fn of(losses: &[f64]) -> Option<Self> {
        let n = losses.len() as f64;
        let mean = losses.iter().sum::<f64>() / n;
        let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        (!losses.is_empty()).then(|| Self { loss: mean, standard_error: (variance / n).sqrt(), samples: losses.len() })
    }
}

/// The noise of a run: four independent streams of its seed.
#[derive(Debug)]
pub struct Streams {
    /// For the task: what fresh variables start from.
    pub start: Noise,
    /// For the task: the order of the data, and their augmentation.
    pub data: Noise,
    /// For the trainer: what the loss of each step draws.
    pub draws: Steps,
    /// For the trainer: what every validation draws.
    pub validation: Steps,
}

impl Streams {
    /// The streams of a seed.
    pub fn of(seed: u64) -> Self {
        let [start, data, draws, validation] = Noise::seeded(seed).split();
        Self { start, data, draws: draws.steps(), validation: validation.steps() }
    }
}
