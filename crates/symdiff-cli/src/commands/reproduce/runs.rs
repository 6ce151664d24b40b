//! Which runs a suite asks for: one of each experiment, or one from each seed.

use super::results;
use crate::failure::{Failure, Outcome};
use crate::output::Context;
use std::path::{Path, PathBuf};
use symdiff_models::MoleculeTrainer;
use symdiff_models::suite::Suite;
use symdiff_train::{CHECKPOINT, checkpoint};

/// A run to be made.
pub(super) struct Planned {
    /// Its name in the logs.
    pub(super) name: String,
    /// Its place in the suite.
    pub(super) run: usize,
    pub(super) seed: u64,
    pub(super) folder: PathBuf,
}

/// Seeds and folders of a suite's runs.
pub(super) struct Runs {
    /// In the order of training.
    seeds: Vec<u64>,
    /// Whether each run has a folder per seed.
    nested: bool,
}

impl Runs {
    /// Those of a fresh call, or of one that goes on in `out`.
    pub(super) fn of(suite: &Suite, context: &Context, resume: bool, out: &Path) -> Outcome<Self> {
        let given = match (suite.seeds.as_slice(), context.seed) {
            ([], seed) => vec![seed],
            (seeds, None) => seeds.iter().copied().map(Some).collect(),
            (seeds, Some(seed)) => {
                return Err(Failure::input(format!("--seed {seed}: this suite trains from the seeds {seeds:?}; leave --seed out")));
            }
        };
        let mut runs = Self { seeds: suite.seeds.clone(), nested: !suite.seeds.is_empty() };
        let folders: Vec<Vec<PathBuf>> =
            (0..given.len()).map(|at| suite.runs.iter().map(|run| runs.folder(out, &run.name, at)).collect()).collect();
        runs.seeds = folders.iter().zip(given).map(|(folders, given)| seed(folders, given, resume, out)).collect::<Outcome<_>>()?;
        if resume && !folders.iter().flatten().any(|run| begun(run)) {
            tracing::warn!("{}: none of the suite's runs has a checkpoint; all of them start from the beginning", out.display());
        }
        Ok(runs)
    }

    /// The seed that sampling and the report begin with.
    pub(super) fn first_seed(&self) -> u64 {
        self.seeds.first().copied().unwrap_or_default()
    }

    /// All runs, seed by seed, so that a study that is cut short has whole seeds.
    pub(super) fn planned(&self, suite: &Suite, out: &Path) -> Vec<Planned> {
        let one = |at: usize, run: usize| {
            let (name, seed) = (&suite.runs[run].name, self.seeds[at]);
            let told = if self.nested { format!("{name}, seed {seed}") } else { name.clone() };
            Planned { name: told, run, seed, folder: self.folder(out, name, at) }
        };
        (0..self.seeds.len()).flat_map(|at| (0..suite.runs.len()).map(move |run| (at, run))).map(|(at, run)| one(at, run)).collect()
    }

    fn folder(&self, out: &Path, name: &str, at: usize) -> PathBuf {
        if self.nested { out.join(name).join(format!("seed-{}", self.seeds[at])) } else { out.join(name) }
    }
}

/// Whether a folder has a checkpoint of its run, or its result.
fn begun(run: &Path) -> bool {
    MoleculeTrainer::has_checkpoint(run) || results::exists(run)
}

/// The seed of runs in these folders: the one given, which must be that of runs to go on with; theirs where none is given.
fn seed(folders: &[PathBuf], given: Option<u64>, resume: bool, out: &Path) -> Outcome<u64> {
    let trained: Vec<&PathBuf> = folders.iter().filter(|run| begun(run)).collect();
    if !resume {
        let held = trained.first().map(|run| (*run).clone()).or_else(|| Some(out.join("report.html")).filter(|report| report.exists()));
        return match held {
            Some(held) => Err(Failure::input(format!("{}: there already; add --resume to go on, or choose another --out", held.display()))),
            None => Ok(given.unwrap_or_default()),
        };
    }
    if !out.is_dir() {
        return Err(Failure::input(format!("{}: there is nothing to resume; check --out, or leave out --resume to start", out.display())));
    }
    let mut seed = given;
    for run in &trained {
        let there = MoleculeTrainer::has_checkpoint(run).then(|| checkpoint::header(&run.join(CHECKPOINT))).transpose()?;
        // A result that cannot be read is refused later, unless its run is made anew.
        let Some(recorded) = there.map(|header| header.seed).or_else(|| results::seed(run)) else { continue };
        if let Some(seed) = seed.filter(|seed| *seed != recorded) {
            let run = run.display();
            return Err(Failure::input(format!(
                "{run} was started with seed {recorded}, not {seed}; leave --seed out, or choose another --out"
            )));
        }
        seed = Some(recorded);
    }
    Ok(seed.unwrap_or_default())
}
