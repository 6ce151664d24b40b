//! What a run writes down as it goes: one JSON object a line, and the same as TensorBoard events.

use crate::tensorboard::EventFile;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// One row of `metrics.jsonl`. Everything but `seconds` and `molecules_per_s` is a function of seed and step.
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
    /// Wall-clock seconds of training so far, all sessions together.
    pub seconds: f64,
    /// Throughput since the previous row.
    pub molecules_per_s: f64,
}

/// The open metrics files of a run.
#[derive(Debug)]
pub struct Metrics {
    lines: File,
    events: EventFile,
}

/// The name of the metrics file in a run directory.
pub const FILE: &str = "metrics.jsonl";

impl Metrics {
    /// Opens the metrics of a run that has done `step` steps: later rows, which a killed session may have left, are dropped.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn open(run: &Path, step: u64) -> Result<Self> {
        let path = run.join(FILE);
        let kept: Vec<Row> = if path.exists() { rows(run)?.into_iter().filter(|row| row.step <= step).collect() } else { Vec::new() };
        let text: String = kept.iter().map(|row| line(row) + "\n").collect();
        crate::atomic::write(&path, text.as_bytes())?;
        let mut events = EventFile::create(run)?;
        kept.iter().try_for_each(|row| events.row(row))?;
        let lines = OpenOptions::new().append(true).open(&path).map_err(Error::io(&path, "append to the metrics"))?;
        Ok(Self { lines, events })
    }

    /// Appends a row.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn push(&mut self, row: &Row) -> Result<()> {
        writeln!(self.lines, "{}", line(row)).map_err(Error::io(Path::new(FILE), "append to the metrics"))?;
        self.events.row(row)
    }
}

/// The rows of a run, oldest first. A last line that was cut is left out.
///
/// # Errors
/// When the file cannot be read.
pub fn rows(run: &Path) -> Result<Vec<Row>> {
    let path = run.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(Error::io(&path, "read the metrics"))?;
    Ok(text.lines().map_while(|line| serde_json::from_str(line).ok()).collect())
}

fn line(row: &Row) -> String {
    serde_json::to_string(row).unwrap_or_default()
}
