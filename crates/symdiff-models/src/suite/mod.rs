//! Suites: experiments that are trained, sampled and evaluated in the same way.

mod samplings;
mod scores;
mod seeds;

pub use scores::{Estimate, Outcomes, Scores};
pub use seeds::{SeedTest, over_seeds, seed_tests};

use crate::{Error, Experiment, Result};
use samplings::{RowSampling, Samplings};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use symdiff_diffusion::{Method, Route};
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::data::{MoleculeSet, Split};

/// A suite file, read and checked.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Its name: the file's without `.toml`.
    pub name: String,
    /// Headline of the report.
    pub title: String,
    /// Its runs, in the order of the table.
    pub runs: Vec<Run>,
    /// The rules that judge samples.
    pub protocol: Protocol,
    /// Molecules to sample from each run.
    pub samples: usize,
    /// Disjoint groups of samples that standard errors are taken over.
    pub groups: usize,
    /// Held-out molecules for the likelihood; 0 for none.
    pub nll_molecules: usize,
    /// Independent draws of times, noise and frames for each of them.
    pub nll_passes: usize,
    /// Seeds from which each run is trained; none where the caller gives one.
    pub seeds: Vec<u64>,
    /// Minutes of training that each run's steps are to take, by the measured time of a step; none where experiments name their steps.
    pub minutes: Option<f64>,
    /// Minutes that the named steps of each run take on the machine for which they were chosen, quiet: curves are drawn over them. None where the caller's settings change that.
    pub nominal_minutes: Option<f64>,
    /// The run that the others are compared with, seed by seed.
    pub reference: Option<String>,
}

/// A run of a suite.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name, and that of its folder.
    pub name: String,
    /// What is trained.
    pub experiment: Experiment,
    /// How it is sampled for its row of the table.
    pub route: Route,
    /// How it is sampled beside its row of the table.
    pub samplings: Vec<Route>,
}

/// What stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    /// Names of runs, which are those of their experiments: files beside the suite's folder, or compiled in.
    runs: Vec<String>,
    /// The experiments of runs that have another name.
    #[serde(default)]
    experiments: BTreeMap<String, String>,
    /// Settings over every experiment's own.
    #[serde(default)]
    settings: Vec<String>,
    /// Settings of single experiments, over those of all.
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
    protocol: String,
    samples: usize,
    groups: usize,
    nll_molecules: usize,
    #[serde(default = "one")]
    nll_passes: usize,
    /// Of the rows of the table; the ancestral sampler in all steps of the process when absent.
    sampling: Option<RowSampling>,
    #[serde(default)]
    samplings: Vec<Samplings>,
    #[serde(default)]
    seeds: Vec<u64>,
    /// In the place of `train.steps`, unless a command line names these.
    minutes: Option<f64>,
    nominal_minutes: Option<f64>,
    reference: Option<String>,
}

fn one() -> usize {
    1
}

/// Settings under which a run takes another time than its suite says.
const PACE: [&str; 7] = ["train.steps", "train.epochs", "train.minutes", "train.batch", "train.precision", "model.", "data."];

/// The setting that the minutes of a suite replace.
const STEPS: &str = "train.steps=";

impl Suite {
    /// Reads a suite called `name`. `find` gives the experiment of a name under settings; `settings` come over those of the file.
    ///
    /// # Errors
    /// [`Error::Config`] when the text is no suite, its numbers mean nothing, or its runs learn from different data; what `find` returns.
    pub fn parse<E: From<Error>>(
        name: &str,
        text: &str,
        settings: &[String],
        find: impl Fn(&str, &[String]) -> std::result::Result<Experiment, E>,
    ) -> std::result::Result<Self, E> {
        let refuse = |problem: String| E::from(Error::Config(format!("suite {name}: {problem}")));
        let written: Written = toml::from_str(text).map_err(|error| refuse(error.message().to_owned()))?;
        let Written { samples, groups, nll_molecules, nll_passes, .. } = written;
        let minutes = written.minutes.filter(|_| !settings.iter().any(|setting| setting.starts_with(STEPS)));
        let budget = written.minutes.map(|_| ["train.epochs=0".to_owned(), format!("{STEPS}1")]);
        if groups < 2 || samples < 2 * groups {
            return Err(refuse(format!("samples = {samples}, groups = {groups}: at least two groups of two samples are needed")));
        }
        if nll_passes == 0 {
            return Err(refuse("nll_passes = 0: each molecule needs at least one draw; for no likelihoods write nll_molecules = 0".into()));
        }
        let unknown = |name: &&String| !written.runs.contains(name);
        let sampled = || written.samplings.iter().find_map(|samplings| samplings.stranger(&written.runs));
        if let Some(stranger) = written.only.keys().chain(written.experiments.keys()).find(unknown).or_else(sampled) {
            return Err(refuse(format!("`{stranger}` is given settings, an experiment or samplings, and is none of its runs")));
        }
        if written.minutes.iter().chain(&written.nominal_minutes).any(|minutes| !(1e-3..=1e6).contains(minutes)) {
            return Err(refuse("minutes and nominal_minutes must lie between 0.001 and 1000000".into()));
        }
        if written.minutes.is_some() && written.nominal_minutes.is_some() {
            return Err(refuse("minutes are measured and nominal_minutes are known: give one of them".into()));
        }
        if let Some(stranger) = written.reference.iter().find(|name| !written.runs.contains(name)) {
            return Err(refuse(format!("reference is `{stranger}`, which is none of its runs")));
        }
        if (1..written.seeds.len()).any(|at| written.seeds[..at].contains(&written.seeds[at])) {
            return Err(refuse("a seed is named twice, and two runs would be one".into()));
        }
        if let Some(twice) = written.runs.iter().enumerate().find_map(|(at, run)| written.runs[..at].contains(run).then_some(run)) {
            return Err(refuse(format!("`{twice}` is named twice, and two runs would share one folder")));
        }
        let mut runs = Vec::with_capacity(written.runs.len());
        for run in &written.runs {
            let own = written.only.get(run).into_iter().flatten();
            let settings: Vec<String> = budget.iter().flatten().chain(&written.settings).chain(own).chain(settings).cloned().collect();
            let experiment = find(written.experiments.get(run).unwrap_or(run), &settings)?;
            let route = match &written.sampling {
                Some(sampling) => sampling.route(run, &experiment).map_err(|error| refuse(error.to_string()))?,
                None => Route::new(Method::default(), experiment.diffusion.steps),
            };
            let mut samplings = Vec::new();
            for section in &written.samplings {
                let routes = section.routes(run, &experiment).map_err(|error| refuse(error.to_string()))?;
                samplings.extend(routes.into_iter().filter(|route| !samplings.contains(route)).collect::<Vec<_>>());
            }
            runs.push(Run { name: run.clone(), experiment, route, samplings });
        }
        let data = |run: &Run| (run.experiment.data.path.clone(), run.experiment.data.heavy_atoms);
        if runs.first().is_none_or(|first| runs.iter().any(|run| data(run) != data(first))) {
            return Err(refuse("a suite compares at least one run, and all on the same data.path and data.heavy_atoms".into()));
        }
        let protocol = written.protocol.parse().map_err(|error: symdiff_mol::Error| E::from(error.into()))?;
        let Written { title, seeds, reference, .. } = written;
        let changed = |setting: &String| PACE.iter().any(|key| setting.trim_start().starts_with(key));
        let nominal_minutes = written.nominal_minutes.filter(|_| !settings.iter().any(changed));
        let name = name.into();
        Ok(Self { name, title, runs, protocol, samples, groups, nll_molecules, nll_passes, seeds, minutes, nominal_minutes, reference })
    }

    /// The file that all runs learn from; none for the embedded set.
    pub fn data(&self) -> Option<&Path> {
        self.runs.first()?.experiment.data.path.as_deref()
    }

    /// The molecules that all runs learn from.
    ///
    /// # Errors
    /// When the file cannot be read; [`Error::Config`] when its training part is smaller than a batch, or its test part has no molecule that likelihoods can be
    /// estimated on, which would be known only after training.
    pub fn molecules(&self) -> Result<MoleculeSet> {
        let [first, ..] = self.runs.as_slice() else { return Err(Error::Config(format!("suite {}: it has no runs", self.name))) };
        let set = first.experiment.whole_set()?;
        let Split { train, test, .. } = set.split();
        let place = self.data().unwrap_or(Path::new("embedded")).display();
        if let Some(Run { name, experiment, .. }) = self.runs.iter().find(|run| run.experiment.train.batch > train.len()) {
            let (molecules, batch) = (train.len(), experiment.train.batch);
            return Err(Error::Config(format!(
                "{place}: its training part has {molecules} molecules, and a batch of {name} has {batch}; give more molecules, or lower train.batch"
            )));
        }
        let sizes: BTreeSet<usize> = train.iter().map(|&at| set.num_atoms(at)).collect();
        if self.nll_molecules > 0 && !test.iter().take(self.nll_molecules).any(|&at| sizes.contains(&set.num_atoms(at))) {
            return Err(Error::Config(format!(
                "{place}: its test part has no molecule of a size that its training part has, to estimate likelihoods on; give more molecules, or a suite with nll_molecules = 0"
            )));
        }
        Ok(set)
    }
}
