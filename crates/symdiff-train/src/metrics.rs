//! The metrics of a run: one JSON object per line, and the same as TensorBoard events.

use crate::tensorboard::EventFile;
use crate::{Error, Result, Scores};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use symdiff_files::Output;

/// One row of `metrics.jsonl`. Everything but `seconds` and `samples_per_s` is a function of seed and step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Optimiser steps done.
    pub step: u64,
    /// Mean loss of the step's batch.
    pub loss: f64,
    /// Norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Learning rate of the step.
    pub lr: f64,
    /// Wall-clock seconds of training so far, those before interruptions included.
    pub seconds: f64,
    /// Throughput since the previous row; earlier versions wrote it as `molecules_per_s`.
    #[serde(alias = "molecules_per_s")]
    pub samples_per_s: f64,
}

/// One row of `validation.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidationRow {
    /// Optimiser steps done.
    pub step: u64,
    /// Wall-clock seconds of training so far, those before interruptions included.
    pub seconds: f64,
    /// How well the averaged weights do.
    #[serde(flatten)]
    pub scores: Scores,
}

/// The name of the metrics file in a run directory.
pub const FILE: &str = "metrics.jsonl";

/// The name of the file of validations in a run directory.
pub const VALIDATION: &str = "validation.jsonl";

/// The rows of a run, oldest first. A last line that was cut is left out.
///
/// # Errors
/// When the file cannot be read.
pub fn rows(run: &Path) -> Result<Vec<Row>> {
    read(&run.join(FILE))
}

/// The validations of a run, oldest first; none where there is no such file.
///
/// # Errors
/// When the file cannot be read.
pub fn validations(run: &Path) -> Result<Vec<ValidationRow>> {
    let path = run.join(VALIDATION);
    if path.exists() { read(&path) } else { Ok(Vec::new()) }
}

fn read<R: DeserializeOwned>(path: &Path) -> Result<Vec<R>> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path, "read the metrics"))?;
    Ok(text.lines().map_while(|line| serde_json::from_str(line).ok()).collect())
}

/// The open metrics files of a run.
#[derive(Debug)]
pub(crate) struct Metrics {
    rows: Lines,
    validations: Lines,
    events: EventFile,
    /// Loss and number of samples of each validation so far.
    judged: Vec<(f64, usize)>,
}

impl Metrics {
    /// Opens the metrics of a run that has done `step` steps: later rows, which a killed process may have left, are dropped.
    pub(crate) fn open(run: &Path, step: u64) -> Result<Self> {
        let path = run.join(FILE);
        let rows = if path.exists() { rows(run)? } else { Vec::new() };
        let rows: Vec<Row> = rows.into_iter().filter(|row| row.step <= step).collect();
        let validations: Vec<ValidationRow> = validations(run)?.into_iter().filter(|row| row.step <= step).collect();
        let mut metrics = Self {
            rows: Lines::open(path, &rows)?,
            validations: Lines::open(run.join(VALIDATION), &validations)?,
            events: EventFile::create(run)?,
            judged: validations.iter().map(|row| (row.scores.loss, row.scores.samples)).collect(),
        };
        rows.iter().try_for_each(|row| metrics.show(row))?;
        validations.iter().try_for_each(|row| metrics.show_validation(row))?;
        Ok(metrics)
    }

    /// Appends a row.
    pub(crate) fn push(&mut self, row: &Row) -> Result<()> {
        self.rows.push(row)?;
        self.show(row)
    }

    /// Appends a validation.
    pub(crate) fn push_validation(&mut self, row: &ValidationRow) -> Result<()> {
        self.judged.push((row.scores.loss, row.scores.samples));
        self.validations.push(row)?;
        self.show_validation(row)
    }

    /// The lowest validation loss so far, among those over as many samples: losses over others are not comparable.
    pub(crate) fn best(&self, samples: usize) -> f64 {
        self.judged.iter().filter(|judged| judged.1 == samples).map(|judged| judged.0).fold(f64::INFINITY, f64::min)
    }

    fn show(&mut self, row: &Row) -> Result<()> {
        let Row { step, loss, gradient_norm, lr, samples_per_s, .. } = *row;
        self.events.scalars(step, &[("loss", loss), ("gradient_norm", gradient_norm), ("lr", lr), ("samples_per_s", samples_per_s)])
    }

    fn show_validation(&mut self, row: &ValidationRow) -> Result<()> {
        self.events.scalars(row.step, &[("validation_loss", row.scores.loss)])
    }
}

/// A file of one JSON object per line.
#[derive(Debug)]
struct Lines {
    path: PathBuf,
    file: File,
}

impl Lines {
    /// Makes the file hold `kept` alone, and opens it to append.
    fn open<R: Serialize>(path: PathBuf, kept: &[R]) -> Result<Self> {
        let text = kept.iter().map(|row| Ok(line(row)? + "\n")).collect::<serde_json::Result<String>>();
        let text = text.map_err(|error| Error::io(&path, "write the metrics")(error.into()))?;
        Output::replace(&path)?.fill(text)?;
        let file = OpenOptions::new().append(true).open(&path).map_err(Error::io(&path, "append to the metrics"))?;
        Ok(Self { path, file })
    }

    fn push<R: Serialize>(&mut self, row: &R) -> Result<()> {
        let written = line(row).map_err(std::io::Error::from).and_then(|line| writeln!(self.file, "{line}"));
        written.map_err(Error::io(&self.path, "append to the metrics"))
    }
}

fn line<R: Serialize>(row: &R) -> serde_json::Result<String> {
    serde_json::to_string(row)
}
