//! Settings of training: optimiser, budget, and the intervals of metrics, checkpoints and validation.

use crate::{Clip, Error, OptimiserSettings, Result};
use candle_core::DType;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Optimisation and budget. Training ends at the first of `epochs`, `steps` and `minutes`; 0 means no such limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a file")]
pub struct Settings {
    /// Samples per step.
    pub batch: usize,
    /// Equal parts of the batch, a power of two: the gradient of each is computed alone, and they are summed in a balanced tree. Up to so many processes
    /// share the work; at the same `shares` any number of them computes the same bits.
    pub shares: usize,
    /// Sums gradients over processes while the backward pass goes on, by a thread beside the others. Only on CPUs, and only if `shares` is the number of processes; otherwise
    /// rank 0 warns that it has no effect. It changes no number, and pays where the network is slow and a core is free. A task must not call its ranks meanwhile.
    pub overlap: bool,
    /// Learning rate of AdamW.
    pub lr: f64,
    /// Steps over which the learning rate rises linearly from zero.
    pub warmup: u64,
    /// Lets the learning rate fall to zero along a cosine over the budget of `steps`.
    pub cosine: bool,
    /// With `cosine`: the warm-up starts at zero and the cosine falls over the steps after it, as in the scheduler of the published program.
    pub cosine_after_warmup: bool,
    /// AMSGrad: divides by the largest second moment so far instead of the current one.
    pub amsgrad: bool,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// How the gradient norm is limited.
    pub clipping: Clipping,
    /// The limit on the gradient norm under `clipping = "norm"`.
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
    /// Steps between rows of the metrics; on a GPU also between transfers of the loss, each of which synchronises with the device.
    pub log_every: u64,
    /// Steps between validations; 0 for none.
    pub validate_every: u64,
    /// The largest number of held-out samples in a validation.
    pub validate_samples: usize,
    /// What the model computes in.
    pub precision: Precision,
}

/// How the gradient norm is limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clipping {
    /// To the limit `clip`.
    #[default]
    Norm,
    /// To a limit computed from the last 50 norms (EDM).
    Queue,
    /// Not at all.
    None,
}

/// What the model computes in. Parameters, their averages and the optimiser's state are f32 in any case, and so are embeddings, the read-out,
/// sums and statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 24 bits.
    #[default]
    F32,
    /// 8 bits: the operands of products, and on a GPU all activations of a transformer's blocks.
    Bf16,
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            other => Err(Error::Settings(format!("the precision is {other}; it must be f32 or bf16"))),
        }
    }
}

impl Precision {
    /// The dtype of activations, on a device whose ops have it.
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch: 256,
            shares: 1,
            overlap: false,
            lr: 2e-4,
            warmup: 0,
            cosine: false,
            cosine_after_warmup: false,
            amsgrad: true,
            weight_decay: 1e-12,
            clipping: Clipping::Norm,
            clip: 2.0,
            ema: 0.9999,
            ema_warmup: false,
            epochs: 0,
            steps: 0,
            minutes: 0.0,
            checkpoint_minutes: 5.0,
            log_every: 1,
            validate_every: 0,
            validate_samples: 1024,
            precision: Precision::F32,
        }
    }
}

impl Settings {
    /// Refuses settings that no training can have.
    ///
    /// # Errors
    /// [`Error::Settings`] with the setting, its value and what it may be.
    pub fn check(&self) -> Result<()> {
        within("train.batch", self.batch as f64, 1.0, 1e6)?;
        within("train.shares", self.shares as f64, 1.0, 65536.0)?;
        if !self.shares.is_power_of_two() || !self.batch.is_multiple_of(self.shares) {
            let Self { batch, shares, .. } = self;
            return Err(Error::Settings(format!("train.shares is {shares}; it must be a power of two that divides train.batch, {batch}")));
        }
        within("train.lr", self.lr, f64::MIN_POSITIVE, 1.0)?;
        within("train.warmup", self.warmup as f64, 0.0, 1e12)?;
        within("train.weight_decay", self.weight_decay, 0.0, 1.0)?;
        within("train.clip", self.clip, f64::MIN_POSITIVE, 1e12)?;
        within("train.ema", self.ema, 0.0, 1.0)?;
        within("train.epochs", self.epochs as f64, 0.0, 1e9)?;
        within("train.steps", self.steps as f64, 0.0, 1e12)?;
        within("train.minutes", self.minutes, 0.0, 1e8)?;
        within("train.checkpoint_minutes", self.checkpoint_minutes, 0.0, 1e8)?;
        within("train.log_every", self.log_every as f64, 1.0, 1e12)?;
        within("train.validate_every", self.validate_every as f64, 0.0, 1e12)?;
        within("train.validate_samples", self.validate_samples as f64, 1.0, 1e9)?;
        if self.epochs == 0 && self.steps == 0 && self.minutes == 0.0 {
            return Err(Error::Settings("no budget: set train.epochs, train.steps or train.minutes".into()));
        }
        if self.cosine && self.steps == 0 {
            return Err(Error::Settings("train.cosine needs train.steps, the length of the cosine".into()));
        }
        if self.cosine_after_warmup && (!self.cosine || self.steps <= self.warmup) {
            return Err(Error::Settings("train.cosine_after_warmup needs train.cosine = true and train.steps above train.warmup".into()));
        }
        Ok(())
    }

    /// [`check`](Self::check) for so many processes.
    pub(crate) fn check_for(&self, processes: usize) -> Result<()> {
        self.check()?;
        if self.shares.is_multiple_of(processes) {
            return Ok(());
        }
        let shares = self.shares;
        let remedy = if processes.is_power_of_two() {
            format!("set it to {processes} or a larger power of two, or start at most {shares} processes")
        } else {
            format!("start a power of two of processes, at most {shares}")
        };
        Err(Error::Settings(format!("train.shares is {shares}, which {processes} processes cannot divide equally; {remedy}")))
    }

    /// True when a run of `recorded` may go on under these settings: all but budget, logging, validation, checkpointing and overlap is equal.
    pub fn continues(&self, recorded: &Self) -> bool {
        let Self { overlap, epochs, steps, minutes, checkpoint_minutes, log_every, validate_every, validate_samples, .. } = *self;
        *self
            == Self { overlap, epochs, steps, minutes, checkpoint_minutes, log_every, validate_every, validate_samples, ..recorded.clone() }
    }

    /// What the optimiser needs.
    pub fn optimiser(&self) -> OptimiserSettings {
        let clip = match self.clipping {
            Clipping::Norm => Clip::Norm(self.clip),
            Clipping::Queue => Clip::queue(),
            Clipping::None => Clip::None,
        };
        OptimiserSettings { amsgrad: self.amsgrad, weight_decay: self.weight_decay, clip, ema: self.ema, ema_warmup: self.ema_warmup }
    }

    /// The learning rate of step `step`, from 0.
    pub fn rate(&self, step: u64) -> f64 {
        if self.cosine_after_warmup {
            let part = |from: u64, to: u64| (step - from) as f64 / (to - from) as f64;
            if step < self.warmup {
                return self.lr * part(0, self.warmup);
            }
            return self.lr * 0.5 * (1.0 + (std::f64::consts::PI * part(self.warmup, self.steps).min(1.0)).cos());
        }
        let rise = if step < self.warmup { (step + 1) as f64 / self.warmup as f64 } else { 1.0 };
        let fall = if self.cosine { 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / self.steps as f64).cos()) } else { 1.0 };
        self.lr * rise * fall
    }

    /// The share of the budget that is spent after `step` steps and `seconds`.
    pub(crate) fn spent(&self, step: u64, seconds: f64, per_epoch: Option<u64>) -> f64 {
        let part = |done: f64, limit: f64| if limit > 0.0 { done / limit } else { 0.0 };
        let epochs = per_epoch.map_or(0.0, |steps| part(step as f64, self.epochs as f64 * steps as f64));
        part(step as f64, self.steps as f64).max(epochs).max(part(seconds, 60.0 * self.minutes))
    }
}

/// An error for a number outside `low` to `high`, or for NaN.
///
/// # Errors
/// [`Error::Settings`] with the setting's name, its value and the range.
pub fn within(name: &str, value: f64, low: f64, high: f64) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    let above = low.total_cmp(&f64::MIN_POSITIVE).is_eq();
    let range =
        if above { format!("be above 0 and at most {}", short(high)) } else { format!("lie between {} and {}", short(low), short(high)) };
    Err(Error::Settings(format!("{name} is {}; it must {range}", short(value))))
}

/// A number as a person writes it: large and small ones by their power of ten.
fn short(value: f64) -> String {
    if value == 0.0 || (1e-4..1e9).contains(&value.abs()) || !value.is_finite() { format!("{value}") } else { format!("{value:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published scheduler: step/warmup, then ½·(1 + cos(π·(step − warmup)/(steps − warmup))).
    #[test]
    fn the_published_cosine_rises_from_zero_and_falls_after_the_warmup() {
        let settings = Settings { lr: 2.0, warmup: 4, steps: 12, cosine: true, cosine_after_warmup: true, ..Settings::default() };
        let rates = [0, 1, 4, 8, 12, 20].map(|step| settings.rate(step));
        for (rate, expected) in rates.into_iter().zip([0.0, 0.5, 2.0, 1.0, 0.0, 0.0]) {
            assert!((rate - expected).abs() < 1e-12, "{rates:?}");
        }
        for refused in [Settings { cosine: false, ..settings.clone() }, Settings { warmup: 12, ..settings }] {
            assert!(refused.check().is_err());
        }
    }

    #[test]
    fn every_number_has_a_range_and_the_refusal_is_short() {
        let ok = Settings { steps: 1, ..Settings::default() };
        assert!(ok.check().is_ok());
        let refused_for = |processes| ok.check_for(processes).map_err(|error| error.to_string()).err().unwrap_or_default();
        assert!(refused_for(3).ends_with("start a power of two of processes, at most 1"), "{}", refused_for(3));
        assert!(refused_for(4).ends_with("set it to 4 or a larger power of two, or start at most 1 processes"), "{}", refused_for(4));
        let refused = [
            (Settings { batch: 0, ..ok.clone() }, "train.batch is 0; it must lie between 1 and 1000000"),
            (Settings { shares: 3, ..ok.clone() }, "train.shares is 3; it must be a power of two that divides train.batch, 256"),
            (Settings { batch: 12, shares: 8, ..ok.clone() }, "train.shares is 8; it must be a power of two that divides train.batch, 12"),
            (Settings { lr: 0.0, ..ok.clone() }, "train.lr is 0; it must be above 0 and at most 1"),
            (Settings { lr: f64::NAN, ..ok.clone() }, "train.lr is NaN"),
            (Settings { epochs: 576_460_752_303_423_489, ..ok.clone() }, "train.epochs is 5.764607523034235e17"),
            (Settings { minutes: f64::NAN, ..ok.clone() }, "train.minutes is NaN"),
            (Settings { minutes: -1.0, ..ok.clone() }, "train.minutes is -1"),
            (Settings { minutes: f64::INFINITY, ..ok.clone() }, "train.minutes is inf"),
            (Settings { weight_decay: -1.0, ..ok.clone() }, "train.weight_decay is -1"),
            (Settings { clip: f64::MAX, ..ok.clone() }, "train.clip is 1.7976931348623157e308"),
            (Settings { ema: 1.5, ..ok.clone() }, "train.ema is 1.5"),
            (Settings { log_every: 0, ..ok.clone() }, "train.log_every is 0"),
            (Settings { steps: 0, ..ok.clone() }, "no budget"),
            (Settings { steps: 0, minutes: 1.0, cosine: true, ..ok.clone() }, "train.cosine needs train.steps"),
        ];
        for (settings, expected) in refused {
            let sentence = settings.check().map_err(|error| error.to_string()).err().unwrap_or_default();
            assert!(sentence.contains(expected) && sentence.len() < 120, "{sentence}");
        }
    }

    #[test]
    fn budgets_cannot_overflow() {
        let settings = Settings { epochs: 1_000_000_000, ..Settings::default() };
        assert!(settings.spent(10, 0.0, Some(u64::MAX)) < 1.0);
        assert!(settings.spent(10, 0.0, None) == 0.0);
    }
}
