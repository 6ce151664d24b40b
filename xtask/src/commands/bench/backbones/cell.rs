//! One measurement, in a process of its own: so that its peak memory is measured alone and a failure does not affect others.

use super::needs;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::{self, Display, Formatter};
use std::process::Command;
use symdiff_cli::{Failure, Outcome};

/// Which of the `bench` commands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// A training step.
    Step,
    /// A denoiser call.
    Sample,
    /// Equivariance, whose time is not measured.
    Equivariance,
}

/// A measurement by all that it depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Cell {
    pub(super) kind: Kind,
    pub(super) model: String,
    /// Another γ than the preset's.
    pub(super) gamma: Option<String>,
    pub(super) atoms: usize,
    pub(super) batch: usize,
    /// The largest number of timed repetitions, and the seconds after which none begins.
    pub(super) repetitions: Option<(usize, f64)>,
    pub(super) seed: u64,
    pub(super) threads: usize,
    /// That of steps and calls: errors of equivariance are measured in f32.
    pub(super) precision: Option<String>,
    pub(super) device: String,
}

impl Cell {
    /// What the command prints, or a `note` that says why there is nothing.
    pub(super) fn measure(&self) -> Outcome<Value> {
        if let Some(note) = needs::too_much(self)? {
            return Ok(json!({ "note": note }));
        }
        let program =
            std::env::current_exe().map_err(|error| Failure::run(format!("cannot find this program to run it again: {error}")))?;
        let output = Command::new(program).args(self.arguments()).output();
        let output = output.map_err(|error| Failure::run(format!("cannot start a process for {self}: {error}")))?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        let summary = stdout.lines().last().and_then(|line| serde_json::from_str(line).ok());
        Ok(summary.filter(|_| output.status.success()).unwrap_or_else(|| {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let reason = stderr.lines().last().map_or_else(|| output.status.to_string(), str::to_owned);
            json!({ "note": format!("{} failed: {reason}", self.kind) })
        }))
    }

    fn arguments(&self) -> Vec<String> {
        let pair = |key: &str, value: &dyn Display| [format!("--{key}"), value.to_string()];
        let mut arguments = vec!["bench".to_owned(), self.kind.to_string(), "--json".to_owned()];
        arguments.extend(pair("model", &self.model));
        for (key, value) in [("gamma", &self.gamma), ("precision", &self.precision)] {
            arguments.extend(value.iter().flat_map(|value| pair(key, value)));
        }
        arguments.extend(pair("clouds", &self.atoms));
        arguments.extend(pair("batch", &self.batch));
        arguments.extend(pair("seed", &self.seed));
        arguments.extend(pair("device", &self.device));
        arguments.extend(pair("threads", &self.threads));
        if let Some((steps, budget)) = &self.repetitions {
            arguments.extend(pair("steps", steps));
            arguments.extend(pair("budget", budget));
        }
        arguments
    }
}

impl Display for Kind {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Step => "step",
            Self::Sample => "sample",
            Self::Equivariance => "equivariance",
        })
    }
}

impl Display for Cell {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Self { kind, model, gamma, atoms, batch, .. } = self;
        let gamma = gamma.as_ref().map(|gamma| format!(" with {gamma}")).unwrap_or_default();
        write!(out, "{model}{gamma}: {kind}, {batch} × {atoms} atoms")
    }
}
