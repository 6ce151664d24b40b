//! Suites: experiments that `reproduce` runs at equal budget and judges alike.

use crate::failure::{Failure, Outcome};
use crate::{builtin, experiments};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use symdiff_models::Experiment;
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::data::{self, MoleculeSet};

/// A suite file, read and checked.
pub(crate) struct Suite {
    /// Its name: the file's without `.toml`.
    pub(crate) name: String,
    /// Headline of the report.
    pub(crate) title: String,
    /// Its experiments, by name, in the order of the table.
    pub(crate) runs: Vec<(String, Experiment)>,
    /// The rules that judge samples.
    pub(crate) protocol: Protocol,
    /// Molecules to sample from each run.
    pub(crate) samples: usize,
    /// Disjoint groups of samples that standard errors are taken over.
    pub(crate) groups: usize,
    /// Held-out molecules for the likelihood; 0 for none.
    pub(crate) nll_molecules: usize,
}

/// What stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    /// Experiments by name: files beside the suite's folder, or compiled in.
    runs: Vec<String>,
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
}

impl Suite {
    /// The suite of that name, compiled in, or of a file; with the settings of the command line and its data file over every experiment.
    pub(crate) fn read(named: &str, settings: &[String], data: Option<&Path>) -> Outcome<Self> {
        let path = Path::new(named);
        let (text, home) = if path.is_file() {
            let text = std::fs::read_to_string(path).map_err(|error| Failure::input(format!("{named}: cannot read it: {error}")))?;
            (text, path.parent().map(Path::to_owned))
        } else {
            let known = || {
                format!(
                    "--profile {named}: no suite of this name is compiled in, and no such file; those compiled in are {}",
                    builtin::suites().join(", ")
                )
            };
            (builtin::suite(named).ok_or_else(|| Failure::input(known()))?.to_owned(), None)
        };
        let written: Written = toml::from_str(&text).map_err(|error| Failure::input(format!("{named}: {}", error.message())))?;
        if written.groups < 2 || written.samples < 2 * written.groups {
            return Err(Failure::input(format!(
                "{named}: samples = {}, groups = {}: at least two groups of two samples are needed",
                written.samples, written.groups
            )));
        }
        let one = |name: &String| {
            let own = written.only.get(name).into_iter().flatten();
            let settings: Vec<String> = written.settings.iter().chain(own).chain(settings).cloned().collect();
            let mut experiment = experiments::read(&place(name, home.as_deref()), &settings)?;
            if let Some(data) = data {
                experiment.data.path = Some(data.to_owned());
            }
            Ok((name.clone(), experiment))
        };
        let runs: Vec<(String, Experiment)> = written.runs.iter().map(one).collect::<Outcome<_>>()?;
        if runs.is_empty() || runs.iter().any(|(_, run)| run.data.path != runs[0].1.data.path) {
            return Err(Failure::input(format!("{named}: a suite compares at least one run, and all on the same data.path")));
        }
        Ok(Self {
            name: path.file_stem().map_or_else(|| named.to_owned(), |stem| stem.to_string_lossy().into_owned()),
            title: written.title.clone(),
            runs,
            protocol: written.protocol.parse()?,
            samples: written.samples,
            groups: written.groups,
            nll_molecules: written.nll_molecules,
        })
    }
}

impl Suite {
    /// The file that all runs learn from; none for the embedded set.
    pub(crate) fn data(&self) -> Option<&Path> {
        self.runs.first()?.1.data.path.as_deref()
    }

    /// The molecules that all runs learn from.
    pub(crate) fn molecules(&self) -> Outcome<MoleculeSet> {
        Ok(self.data().map_or_else(|| Ok(data::embedded().clone()), data::load)?)
    }
}

/// The file of an experiment beside the suite or a folder above it; its bare name where there is none.
fn place(name: &str, home: Option<&Path>) -> PathBuf {
    let beside = home.into_iter().flat_map(|home| [home.to_owned(), home.join("..")]);
    let mut files = beside.map(|folder| folder.join(name).with_extension("toml"));
    files.find(|file| file.is_file()).unwrap_or_else(|| PathBuf::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_that_is_compiled_in_can_be_run() {
        for name in builtin::suites() {
            let suite = Suite::read(name, &[], None).unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
            assert!(!suite.runs.is_empty() && suite.name == name);
        }
    }

    #[test]
    fn a_suite_of_ones_own_runs_experiments_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let suite = "title = 'Mine'\nruns = ['mine', 'dit-small']\nprotocol = 'edm-qm9'\nsamples = 4\ngroups = 2\nnll_molecules = 0\n";
        let path = folder.path().join("own.toml");
        std::fs::write(&path, suite).unwrap();
        std::fs::write(folder.path().join("mine.toml"), "[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 7\n").unwrap();
        let suite = Suite::read(path.to_str().unwrap(), &["train.batch=3".to_owned()], None).unwrap();
        assert_eq!((suite.name.as_str(), suite.runs.len()), ("own", 2));
        assert_eq!((suite.runs[0].1.train.steps, suite.runs[0].1.train.batch), (7, 3));
    }
}
