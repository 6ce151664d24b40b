//! Results of finished runs: kept beside each of them, so that a suite can be made in parts, on several machines, and read as one.

use super::runs::Planned;
use crate::destination::put;
use crate::failure::{Failure, Outcome};
use crate::report::RunReport;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;
use symdiff_models::suite::{Run, Suite};
use symdiff_models::weights::DataRecord;

/// The file of a result in the folder of its run.
const FILE: &str = "result.json";

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Stored {
    seed: u64,
    /// What the result is one of.
    of: Value,
    report: RunReport,
}

/// All that the result of a run depends on, but for its seed.
pub(super) fn of(run: &Run, suite: &Suite, data: &DataRecord) -> Outcome<Value> {
    let Suite { samples, groups, nll_molecules, .. } = suite;
    let routes: Vec<String> = std::iter::once(&run.route).chain(&run.samplings).map(|route| format!("{route:?}")).collect();
    // A file is told by its content, wherever it lies.
    let mut experiment = run.experiment.clone();
    experiment.data.path = None;
    Ok(json!({
        "experiment": experiment.to_toml()?,
        "data": data,
        "protocol": suite.protocol.name(),
        "samples": samples,
        "groups": groups,
        "nll_molecules": nll_molecules,
        "routes": routes,
    }))
}

/// The result of a run, where its folder has one of the same experiment, data and rules.
pub(super) fn read(planned: &Planned, of: &Value) -> Option<RunReport> {
    let path = planned.folder.join(FILE);
    let stored: Stored = serde_json::from_str(&std::fs::read_to_string(&path).ok()?)
        .inspect_err(|error| tracing::warn!("{}: no result of a run, and passed over: {error}", path.display()))
        .ok()?;
    if stored.of == *of && stored.seed == planned.seed {
        return Some(stored.report);
    }
    tracing::info!("{}: the result of another experiment, other data or other rules; passed over", path.display());
    None
}

/// The seed of the result in a folder.
pub(super) fn seed(folder: &Path) -> Option<u64> {
    let stored: Value = serde_json::from_str(&std::fs::read_to_string(folder.join(FILE)).ok()?).ok()?;
    stored["seed"].as_u64()
}

/// Keeps a result.
pub(super) fn write(planned: &Planned, of: Value, report: &RunReport) -> Outcome<()> {
    let stored = Stored { seed: planned.seed, of, report: report.clone() };
    put(&planned.folder.join(FILE), &serde_json::to_string(&stored).map_err(Failure::run)?)
}
