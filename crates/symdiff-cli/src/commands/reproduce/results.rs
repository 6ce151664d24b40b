//! Results of finished runs: kept beside each of them, so that a suite can be made in parts, on several machines, and read as one.

use super::runs::Planned;
use crate::destination::put;
use crate::failure::{Failure, Outcome};
use crate::hash;
use crate::report::{Machine, RunReport};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::Path;
use symdiff_diffusion::Route;
use symdiff_models::Experiment;
use symdiff_models::suite::{Run, Suite};
use symdiff_models::weights::DataRecord;
use symdiff_mol::data::MoleculeSet;

/// The file of a result in the folder of its run.
const FILE: &str = "result.json";

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Stored {
    of: Basis,
    report: RunReport,
}

/// All that a result depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Basis {
    seed: u64,
    experiment: Experiment,
    /// Training time by which the steps were chosen, if any.
    minutes: Option<f64>,
    data: DataRecord,
    /// XXH3 of each property that the model was told.
    told: Vec<String>,
    protocol: String,
    samples: usize,
    groups: usize,
    nll_molecules: usize,
    /// One where an older result does not say.
    #[serde(default = "one")]
    nll_passes: usize,
    routes: Vec<String>,
}

fn one() -> usize {
    1
}

impl Basis {
    /// What the result of a run of a suite on a set depends on.
    pub(super) fn of(run: &Run, seed: u64, suite: &Suite, set: &MoleculeSet, data: &DataRecord) -> Outcome<Self> {
        let route = |route: &Route| {
            let Route { method, steps, spacing, framing, .. } = *route;
            format!("{method} {steps} {spacing} {framing} {:?}", route.churn())
        };
        let told = run.experiment.data.condition.iter().map(|name| Ok(hash::of_numbers(&set.conditioning(name)?)));
        Ok(Self {
            seed,
            experiment: run.experiment.clone(),
            minutes: suite.minutes,
            data: data.clone(),
            told: told.collect::<Outcome<_>>()?,
            protocol: suite.protocol.name().to_owned(),
            samples: suite.samples,
            groups: suite.groups,
            nll_molecules: suite.nll_molecules,
            nll_passes: suite.nll_passes,
            routes: std::iter::once(&run.route).chain(&run.samplings).map(route).collect(),
        })
    }

    /// The same without what changes no result: where a file lies, how often a run logs, when processes add their gradients, and steps that follow from the speed of a machine.
    fn plain(&self) -> Self {
        let mut plain = self.clone();
        let Experiment { data, train, .. } = &mut plain.experiment;
        data.path = None;
        (train.log_every, train.checkpoint_minutes, train.overlap) = (1, 1.0, false);
        if self.minutes.is_some() {
            train.steps = 1;
        }
        plain
    }
}

/// The result of a run, if its folder has one.
///
/// # Errors
/// [`Failure::Input`] where it is none of this run, this data and these rules, or cannot be read: it may have taken hours, and where there is no checkpoint it is not replaced without being asked.
pub(super) fn read(planned: &Planned, of: &Basis) -> Outcome<Option<RunReport>> {
    let path = planned.folder.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| Failure::file(&path, "read it", &error))?,
    };
    let refused = |why: String| Failure::input(format!("{}: {why}; take it away, or make the run anew by --only", path.display()));
    let stored: Stored =
        serde_json::from_str(&text).map_err(|error| refused(format!("no result of a run that this version knows ({error})")))?;
    if stored.of.plain() != of.plain() {
        return Err(refused("the result of another experiment, of other data or under other rules".into()));
    }
    Ok(Some(stored.report))
}

/// Where a model was trained, by the result of the same training and whatever rules of judging.
pub(super) fn machine(folder: &Path, of: &Basis) -> Option<Machine> {
    let stored: Stored = serde_json::from_str(&std::fs::read_to_string(folder.join(FILE)).ok()?).ok()?;
    let (theirs, ours) = (stored.of.plain(), of.plain());
    let same = theirs.seed == ours.seed && theirs.experiment == ours.experiment && theirs.data == ours.data && theirs.told == ours.told;
    same.then_some(stored.report.machine)
}

/// The seed of the result in a folder.
pub(super) fn seed(folder: &Path) -> Option<u64> {
    let stored: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.join(FILE)).ok()?).ok()?;
    stored["of"]["seed"].as_u64()
}

/// Whether a folder has a result.
pub(super) fn exists(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

/// Keeps a result.
pub(super) fn write(planned: &Planned, of: Basis, report: &RunReport) -> Outcome<()> {
    let stored = Stored { of, report: report.clone() };
    put(&planned.folder.join(FILE), &serde_json::to_string(&stored).map_err(Failure::run)?)
}
