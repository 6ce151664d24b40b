//! Where a suite comes from: a file, or by name from those that are compiled in.

use crate::failure::{Failure, Outcome};
use crate::{builtin, experiments};
use std::path::{Path, PathBuf};
use symdiff_models::suite::Suite;

/// The suite of that name, compiled in, or of a file; with the settings of the command line and its data file over every experiment.
pub(crate) fn read(named: &str, settings: &[String], data: Option<&Path>) -> Outcome<Suite> {
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
    let name = path.file_stem().map_or_else(|| named.to_owned(), |stem| stem.to_string_lossy().into_owned());
    let suite = Suite::parse(&name, &text, settings, |run, settings| {
        let mut experiment = experiments::read(&place(run, home.as_deref()), settings)?;
        if let Some(data) = data {
            experiment.data.path = Some(data.to_owned());
        }
        Ok::<_, Failure>(experiment)
    })?;
    // Other molecules take another time.
    Ok(Suite { nominal_minutes: suite.nominal_minutes.filter(|_| data.is_none()), ..suite })
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
    use symdiff_diffusion::{Framing, Method, Route, Spacing};
    use symdiff_models::experiment::CouplingKind;

    #[test]
    fn every_suite_that_is_compiled_in_can_be_run() {
        for name in builtin::suites() {
            let suite = read(name, &[], None).unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
            assert!(!suite.runs.is_empty() && suite.name == name);
        }
    }

    #[test]
    fn the_study_compares_models_of_one_size_and_of_every_kind() {
        let study = read("study", &[], None).unwrap();
        let counts: Vec<usize> = study
            .runs
            .iter()
            .map(|run| &run.experiment)
            .map(|run| symdiff_models::memory::parameters(&run.model, run.encoding().features()).unwrap())
            .collect();
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(100 * (most - least) < 2 * least, "{counts:?}");
        assert_eq!((study.runs.len(), study.seeds.len(), study.minutes), (8, 3, None));
        assert!(study.runs.iter().map(|run| &run.experiment.train).all(|train| train.batch == 64 && train.epochs == 0 && train.cosine));
        // Steps of a command line take the place of the suite's.
        let short = read("study", &["train.steps=5".to_owned()], None).unwrap();
        assert!(short.runs.iter().all(|run| run.experiment.train.steps == 5));
    }

    #[test]
    fn a_suite_of_ones_own_runs_experiments_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let suite = "title = 'Mine'\nruns = ['mine', 'dit-small']\nprotocol = 'edm-qm9'\nsamples = 4\ngroups = 2\nnll_molecules = 0\n";
        let path = folder.path().join("own.toml");
        std::fs::write(&path, suite).unwrap();
        std::fs::write(folder.path().join("mine.toml"), "[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 7\n").unwrap();
        let suite = read(path.to_str().unwrap(), &["train.batch=3".to_owned()], None).unwrap();
        assert_eq!((suite.name.as_str(), suite.runs.len()), ("own", 2));
        assert_eq!((suite.runs[0].experiment.train.steps, suite.runs[0].experiment.train.batch), (7, 3));
    }

    const SAMPLED: &str = "\
title = 'Mine'
runs = ['a', 'dit-small']
experiments = { a = 'symdiff-flow-small' }
protocol = 'edm-qm9'
samples = 4
groups = 2
nll_molecules = 0
[only]
a = ['diffusion.continuous.coupling=\"independent\"']
[[samplings]]
samplers = ['ancestral', 'heun']
calls = [100, 25]
grid = 'log-snr'
[[samplings]]
samplers = ['ancestral']
calls = [25, 3000]
frames = 'kept'
runs = ['a']
";

    fn parsed(text: &str) -> Outcome<Suite> {
        Suite::parse("own", text, &[], |run, settings| experiments::read(Path::new(run), settings))
    }

    #[test]
    fn steps_of_a_command_line_take_the_place_of_minutes() {
        let timed = SAMPLED.replace("groups", "minutes = 2.0\ngroups");
        assert_eq!(parsed(&timed).unwrap().minutes, Some(2.0));
        let steps = ["train.steps=5".to_owned()];
        let short = Suite::parse::<Failure>("own", &timed, &steps, |run, settings| experiments::read(Path::new(run), settings)).unwrap();
        assert!(short.minutes.is_none() && short.runs.iter().all(|run| run.experiment.train.steps == 5));
    }

    #[test]
    fn samplings_of_a_suite_are_routes_of_its_runs() {
        let suite = parsed(SAMPLED).unwrap();
        let [a, dit] = suite.runs.as_slice() else { panic!("two runs") };
        let loss = a.experiment.diffusion.continuous.unwrap();
        assert_eq!((a.name.as_str(), loss.coupling), ("a", CouplingKind::Independent));
        let shared = [(Method::Ancestral, 100), (Method::Ancestral, 25), (Method::Heun, 50), (Method::Heun, 12)];
        let shared = shared.map(|(method, steps)| Route { spacing: Spacing::LogSnr, ..Route::new(method, steps) });
        let kept = [25, 3000].map(|steps| Route { framing: Framing::Kept, ..Route::new(Method::Ancestral, steps) });
        assert_eq!((&a.samplings[..4], &a.samplings[4..], &dit.samplings[..]), (&shared[..], &kept[..], &shared[..]));
    }

    #[test]
    fn samplings_that_no_run_can_take_are_refused() {
        let says = |from: &str, to: &str| match parsed(&SAMPLED.replace(from, to)) {
            Err(Failure::Input(sentence)) => sentence,
            other => panic!("{from} to {to}: {other:?}"),
        };
        assert!(says("runs = ['a']\n", "").contains("3000 calls of ancestral for dit-small, which can take 1 to 1000"));
        assert!(says("[100, 25]", "[1]").contains("1 calls of heun for a, which can take 2 to"));
        assert!(says("['a']\n", "['b']\n").contains("`b` is given settings, an experiment or samplings"));
        assert!(says("frames = 'kept'", "churn = 1.0").contains("none of their samplers has one"));
        assert!(says("'log-snr'", "'odd'").contains("grid `odd` is unknown"));
    }
}
