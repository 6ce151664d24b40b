//! Equal training time: how many steps each run of a suite gets, by the measured time of a step.
//!
//! Times are measured once, before any training, and kept beside the runs: a run that goes on has the steps that it began with, which its
//! learning rate depends on.

use crate::destination::put;
use crate::failure::{Failure, Outcome};
use crate::plan::Plan;
use candle_core::Device;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use symdiff_models::Experiment;
use symdiff_models::suite::{Run, Suite};

/// The file of measured times.
const FILE: &str = "budget.json";

/// What `budget.json` holds.
#[derive(Serialize, Deserialize)]
struct Budget {
    /// Minutes that each run is to train.
    minutes: f64,
    runs: BTreeMap<String, Pace>,
}

#[derive(Serialize, Deserialize)]
struct Pace {
    seconds_per_step: f64,
    steps: u64,
}

/// Gives the runs of a suite with `minutes` their steps. The time of a step is measured of those that are `needed` and have none on record.
pub(super) fn equalise(suite: &mut Suite, needed: &[bool], out: &Path, device: &Device) -> Outcome<()> {
    let Some(minutes) = suite.minutes else { return Ok(()) };
    let path = out.join(FILE);
    let mut budget = match std::fs::read_to_string(&path) {
        Ok(text) => {
            serde_json::from_str(&text).map_err(|error| Failure::input(format!("{}: no budget of a suite: {error}", path.display())))?
        }
        Err(_) => Budget { minutes, runs: BTreeMap::new() },
    };
    if budget.minutes.to_bits() != minutes.to_bits() {
        let (path, recorded) = (path.display(), budget.minutes);
        return Err(Failure::input(format!("{path}: the runs here have {recorded} minutes each, not {minutes}; choose another --out")));
    }
    for (Run { name, experiment, .. }, needed) in suite.runs.iter_mut().zip(needed) {
        if *needed && !budget.runs.contains_key(name) {
            tracing::info!("{name}: measuring the time of a step");
            let plan = measured(experiment, device)?.lasting(minutes);
            budget.runs.insert(name.clone(), Pace { seconds_per_step: plan.seconds_per_step(), steps: plan.steps() });
            put(&path, &serde_json::to_string_pretty(&budget).map_err(Failure::run)?)?;
        }
        if let Some(pace) = budget.runs.get(name) {
            experiment.train.steps = pace.steps;
        }
    }
    Ok(())
}

/// The time of a step, and what else a training takes.
pub(super) fn measured(experiment: &Experiment, device: &Device) -> Outcome<Plan> {
    let mut trial = experiment.clone();
    // Without an end that could come first, and without validation.
    (trial.train.steps, trial.train.validate_every) = (u32::MAX.into(), 0);
    Plan::of(trial, 0, device)
}
