//! `reproduce`: train, sample and judge a suite of runs at equal size and budget, and write the report.

use super::train::drive;
use crate::failure::{Failure, Outcome};
use crate::output::Context;
use crate::progress::Bar;
use crate::report::{self, DataReport, Geometry, Machine, Report, RunReport};
use crate::scores::{self, Outcomes};
use candle_core::Device;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;
use symdiff_diffusion::Method;
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::data::{self, MoleculeSet};
use symdiff_train::{Experiment, Sampling, Trained, Trainer};

/// Reproduce the paper's comparison: DiT, DiT-Aug, SymDiff-H, SymDiff and EDM on the same data and budget.
#[derive(Args)]
pub(crate) struct Reproduce {
    /// Which suite of `experiments/suites`: `quick` takes minutes on a laptop, `qm9` and `geom` are the published runs.
    #[arg(long, default_value = "quick")]
    profile: String,
    /// The molecules to learn from; the embedded set when absent.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The folder of runs and report.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Go on where an earlier call stopped; finished runs are not repeated.
    #[arg(long)]
    resume: bool,
    /// Settings over those of every run: `--set train.steps=500`.
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    settings: Vec<String>,
}

/// A suite file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    title: String,
    /// Experiments by name.
    runs: Vec<String>,
    /// Settings over every experiment's own.
    #[serde(default)]
    settings: Vec<String>,
    /// Settings of single experiments, over those of all.
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
    protocol: String,
    /// Molecules to sample from each run.
    samples: usize,
    /// Disjoint groups of samples that standard errors are taken over.
    groups: usize,
    /// Held-out molecules for the likelihood; 0 for none.
    nll_molecules: usize,
}

/// Molecules shown of each run.
const SHOWN: usize = 24;

impl Reproduce {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let start = Instant::now();
        let (home, suite) = self.suite()?;
        let out = self.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(&self.profile));
        if out.join("report.html").exists() && !self.resume {
            return Err(Failure::input(format!("{} holds a report already; add --resume or choose another --out", out.display())));
        }
        let set = self.data.as_ref().map_or_else(|| Ok(data::embedded().clone()), |path| data::load(path))?;
        let protocol = protocol(&suite)?;
        let device = context.device()?;
        let mut rows = Vec::new();
        for (index, name) in suite.runs.iter().enumerate() {
            tracing::info!("{name} ({} of {})", index + 1, suite.runs.len());
            let own = suite.only.get(name).into_iter().flatten();
            let settings: Vec<String> =
                suite.settings.iter().chain(own).chain(&self.settings).cloned().chain(self.data_setting()).collect();
            let experiment = Experiment::read(&home.join(name).with_extension("toml"), &settings)?;
            rows.push(one_run(name, experiment, &suite, &set, &out.join(name), context.seed, &device)?);
        }
        let command = std::env::args().skip(1).fold("cargo xtask".to_owned(), |line, word| line + " " + &word);
        let report = Report {
            title: suite.title.clone(),
            profile: self.profile.clone(),
            command,
            machine: Machine::here(),
            seed: context.seed,
            seconds: start.elapsed().as_secs_f64(),
            protocol,
            rows,
            data: real(&set, self.data.as_deref(), &suite)?,
            published: if protocol == Protocol::EdmGeom { &report::GEOM } else { &report::QM9 },
        };
        report::write(&report, &out)?;
        let table = report::markdown(&report);
        if context.json {
            eprintln!("{table}");
        } else {
            println!("{table}");
        }
        Ok(json!({
            "profile": self.profile,
            "seconds": report.seconds,
            "report": out.join("report.html"),
            "rows": report.rows.iter().map(scores::json).collect::<Vec<_>>(),
        }))
    }

    fn data_setting(&self) -> Option<String> {
        let path = self.data.as_ref()?;
        Some(format!("data.path={}", Value::from(path.to_string_lossy())))
    }

    fn suite(&self) -> Outcome<(PathBuf, Suite)> {
        // `cargo run` says where the package lies; an installed binary looks around itself.
        let home = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), |xtask| PathBuf::from(xtask).join(".."));
        let home = home.join("experiments");
        let path = home.join("suites").join(&self.profile).with_extension("toml");
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Failure::input(format!("--profile {}: cannot read {}: {error}", self.profile, path.display())))?;
        let suite: Suite = toml::from_str(&text).map_err(|error| Failure::input(format!("{}: {}", path.display(), error.message())))?;
        if suite.groups < 2 || suite.samples < 2 * suite.groups {
            return Err(Failure::input(format!("{}: at least two groups of two samples are needed", path.display())));
        }
        Ok((home, suite))
    }
}

/// The rules that judge.
fn protocol(suite: &Suite) -> Outcome<Protocol> {
    Ok(suite.protocol.parse()?)
}

/// Trains what is not trained yet, samples, judges.
fn one_run(
    name: &str,
    experiment: Experiment,
    suite: &Suite,
    set: &MoleculeSet,
    folder: &Path,
    seed: u64,
    device: &Device,
) -> Outcome<RunReport> {
    let mut trainer = if Trainer::has_checkpoint(folder) {
        Trainer::resume(folder, Some(experiment), device)?
    } else {
        Trainer::start(experiment, seed, folder, device)?
    };
    let parameters = trainer.parameters();
    drive(&mut trainer, name)?;
    drop(trainer);

    let trained = Trained::load(folder, device)?;
    let (molecules, sample_seconds) = samples(&trained, suite.samples, seed, folder)?;
    let outcomes = Outcomes::judge(&molecules, protocol(suite)?)?;
    let mut scores = outcomes.scores(suite.groups);
    if suite.nll_molecules > 0 {
        let mut places = set.split().test;
        places.truncate(suite.nll_molecules);
        let bar = Bar::new("nll");
        let nll = trained.nll(set, &places, 1, 128, seed, &mut |done| bar.show(done, ""))?;
        scores.nll = Some(report::Estimate { mean: nll.mean, standard_error: nll.standard_error });
    }
    let curve = symdiff_train::metrics::rows(folder)?.iter().map(|row| (row.step, row.loss)).collect();
    Ok(RunReport {
        name: name.to_owned(),
        parameters,
        steps: trained.header.step,
        train_seconds: trained.header.seconds,
        sample_seconds,
        samples: molecules.len(),
        scores,
        curve,
        geometry: Geometry::of(&molecules),
        molecules: molecules.into_iter().take(SHOWN).collect(),
    })
}

/// The run's samples: drawn once, then read from its folder.
fn samples(trained: &Trained, count: usize, seed: u64, folder: &Path) -> Outcome<(Vec<Molecule>, f64)> {
    let (file, clock) = (folder.join("samples.xyz"), folder.join("sample_seconds"));
    if let (true, Ok(seconds)) = (file.exists(), std::fs::read_to_string(&clock)) {
        let kept = symdiff_mol::formats::open(&file)?.collect::<Result<Vec<_>, _>>()?;
        if let (Ok(seconds), true) = (seconds.trim().parse(), kept.len() == count) {
            return Ok((kept, seconds));
        }
    }
    let start = Instant::now();
    let bar = Bar::new("sampling");
    let options = Sampling { count, seed, steps: None, batch: None, sampler: Method::Ancestral };
    let molecules = trained.sample(&options, &mut |done| bar.show(done, ""))?;
    let seconds = start.elapsed().as_secs_f64();
    symdiff_mol::formats::write_all(&file, molecules.iter().cloned())?;
    std::fs::write(&clock, seconds.to_string()).map_err(|error| Failure::run(format!("{}: cannot write: {error}", clock.display())))?;
    Ok((molecules, seconds))
}

/// The data under the same judges: the ceiling of the table.
fn real(set: &MoleculeSet, path: Option<&Path>, suite: &Suite) -> Outcome<DataReport> {
    let places = set.split().train;
    let step = (places.len() / 2000).max(1);
    let molecules: Vec<Molecule> = places.iter().step_by(step).take(2000).map(|&place| set.molecule(place)).collect();
    Ok(DataReport {
        name: path.map_or_else(|| "embedded set".into(), |path| path.display().to_string()),
        samples: molecules.len(),
        scores: Outcomes::judge(&molecules, protocol(suite)?)?.scores(suite.groups),
        geometry: Geometry::of(&molecules),
        molecules: molecules.into_iter().take(SHOWN).collect(),
    })
}
