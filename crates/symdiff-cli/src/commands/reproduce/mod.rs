//! `reproduce`: train, sample and evaluate a suite of runs at equal size and budget, and write the report.

mod samples;

use super::train::drive;
use crate::failure::{Failure, Outcome, note};
use crate::output::{Context, shown};
use crate::plan::Plan;
use crate::progress::Bar;
use crate::report::{self, CellReport, DataReport, Geometry, Machine, Report, RunReport};
use crate::suite;
use candle_core::Device;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;
use symdiff_models::suite::{Estimate, Outcomes, Run, Suite};
use symdiff_models::{MoleculeTrainer, Trained, check_elements, resume, start};
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::data::MoleculeSet;
use symdiff_train::{CHECKPOINT, FolderLock, checkpoint};

const EXAMPLES: &str = "\
Examples:
  symdiff reproduce
  symdiff reproduce --profile qm9 --data qm9.safetensors --device cuda --dry-run
  symdiff reproduce --profile qm9 --data qm9.safetensors --device cuda --out runs/qm9
  symdiff reproduce --profile qm9 --data qm9.safetensors --device cuda --out runs/qm9 --resume";

/// Reproduce the paper's comparison: DiT, DiT-Aug, SymDiff-H, SymDiff and EDM on the same data and budget.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Reproduce {
    /// The suite: `quick` takes minutes on a laptop, `qm9` and `geom` are the published runs; or a suite file of your own.
    #[arg(long, default_value = "quick")]
    profile: String,
    /// The data set to train on; the embedded one when absent.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The folder for runs and report; `runs/PROFILE` when absent.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Continue an earlier call. Finished runs are not repeated; molecules are drawn again only if their model or sampler changed.
    #[arg(long)]
    resume: bool,
    /// Override a setting in every run: `--set train.steps=500`.
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    settings: Vec<String>,
    /// Train each model for a few seconds in a temporary folder, and tell what training the suite would take: parameters, memory, hours. Sampling
    /// and evaluation come on top.
    #[arg(long, conflicts_with = "resume")]
    dry_run: bool,
}

/// Molecules shown of each run.
const SHOWN: usize = 24;

impl Reproduce {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let began = Instant::now();
        let suite = suite::read(&self.profile, &self.settings, self.data.as_deref())?;
        if self.dry_run {
            return planned(&suite, context);
        }
        let out = self.out.clone().unwrap_or_else(|| Path::new("runs").join(&suite.name));
        let seed = self.seed(context, &suite, &out)?;
        let set = suite.molecules()?;
        for run in &suite.runs {
            check_elements(&set, &run.experiment.encoding())?;
        }
        let device = context.device()?;
        // From here on there is a folder.
        std::fs::create_dir_all(&out).map_err(|error| Failure::file(&out, "make this folder", &error))?;
        let _lock = FolderLock::acquire(&out)?;
        let mut report = Report {
            title: suite.title.clone(),
            profile: suite.name.clone(),
            command: command_line(),
            machine: Machine::here(),
            seed,
            seconds: 0.0,
            protocol: suite.protocol,
            rows: Vec::new(),
            data: real(&set, &suite)?,
            published: if suite.protocol == Protocol::EdmGeom { &report::GEOM } else { &report::QM9 },
        };
        // Written anew after each run, so that a long suite can be read before its end.
        for (index, run) in suite.runs.iter().enumerate() {
            tracing::info!("{} ({} of {})", run.name, index + 1, suite.runs.len());
            report.rows.push(one_run(run, &suite, &set, &out.join(&run.name), seed, &device)?);
            report.seconds = began.elapsed().as_secs_f64();
            report::write(&report, &out)?;
        }
        let table = report::markdown(&report);
        if context.json {
            note(&table);
        } else {
            context.print(&format!("{table}\n"))?;
        }
        Ok(json!({
            "profile": suite.name,
            "seconds": report.seconds,
            "report": shown(&out.join("report.html")),
            "rows": report.rows.iter().map(RunReport::json).collect::<Vec<_>>(),
        }))
    }

    /// The seed of the runs: the one given, which must be that of runs to go on with; theirs where none is given.
    fn seed(&self, context: &Context, suite: &Suite, out: &Path) -> Outcome<u64> {
        let trained: Vec<PathBuf> =
            suite.runs.iter().map(|run| out.join(&run.name)).filter(|run| MoleculeTrainer::has_checkpoint(run)).collect();
        if !self.resume {
            let held = trained.first().cloned().or_else(|| Some(out.join("report.html")).filter(|report| report.exists()));
            return match held {
                Some(held) => {
                    Err(Failure::input(format!("{}: there already; add --resume to go on, or choose another --out", held.display())))
                }
                None => Ok(context.seed()),
            };
        }
        if !out.is_dir() {
            return Err(Failure::input(format!(
                "{}: there is nothing to resume; check --out, or leave out --resume to start",
                out.display()
            )));
        }
        let mut seed = context.seed;
        for run in &trained {
            let recorded = checkpoint::header(&run.join(CHECKPOINT))?.seed;
            if let Some(seed) = seed.filter(|seed| *seed != recorded) {
                let run = run.display();
                return Err(Failure::input(format!(
                    "{run} was started with seed {recorded}, not {seed}; leave --seed out, or choose another --out"
                )));
            }
            seed = Some(recorded);
        }
        if trained.is_empty() {
            tracing::warn!("{}: none of the suite's runs has a checkpoint; all of them start from the beginning", out.display());
        }
        Ok(seed.unwrap_or_default())
    }
}

/// What training the suite would take.
fn planned(suite: &Suite, context: &Context) -> Outcome<Value> {
    let (device, bar) = (context.device()?, Bar::new("measuring"));
    let (mut rows, mut table, mut hours) = (Vec::new(), String::new(), 0.0);
    for (index, Run { name, experiment, .. }) in suite.runs.iter().enumerate() {
        bar.show(index as f64 / suite.runs.len() as f64, name);
        let plan = Plan::of(experiment.clone(), context.seed(), &device)?;
        let mut row = plan.json();
        row["name"] = name.as_str().into();
        rows.push(row);
        table += &plan.line(name);
        hours += plan.hours();
    }
    drop(bar);
    if !context.json {
        context.print(&table)?;
    }
    Ok(json!({ "profile": suite.name, "hours": hours, "rows": rows }))
}

/// The command line as a person types it.
fn command_line() -> String {
    let mut words = std::env::args_os();
    let program = words.next().map(PathBuf::from).unwrap_or_default();
    let program = if program.file_stem().is_some_and(|name| name == "xtask") { "cargo xtask" } else { "symdiff" };
    words.fold(program.to_owned(), |line, word| line + " " + &word.to_string_lossy())
}

/// Trains a run that is not finished, samples from it and evaluates the samples.
fn one_run(run: &Run, suite: &Suite, set: &MoleculeSet, folder: &Path, seed: u64, device: &Device) -> Outcome<RunReport> {
    let (name, experiment) = (run.name.as_str(), run.experiment.clone());
    let mut trainer = if MoleculeTrainer::has_checkpoint(folder) {
        resume(folder, Some(experiment), None, device)?
    } else {
        start(experiment, seed, folder, device)?
    };
    let parameters = trainer.variables().count();
    drive(&mut trainer, name, folder)?;
    drop(trainer);

    let trained = Trained::load(folder, device)?;
    let (molecules, sample_seconds) = samples::drawn(&trained, suite.samples, seed, folder)?;
    let outcomes = Outcomes::judge(&molecules, suite.protocol)?;
    let mut scores = outcomes.scores(suite.groups);
    if suite.nll_molecules > 0 {
        let mut places = set.split().test;
        places.truncate(suite.nll_molecules);
        let bar = Bar::new("nll");
        let nll = trained.nll(set, &places, 1, 128, seed, &mut |done| bar.show(done, ""))?;
        scores.nll = Some(Estimate { mean: nll.mean, standard_error: nll.standard_error });
    }
    let cells = cells(run, &trained, suite, folder, seed)?;
    let curve = symdiff_train::metrics::rows(folder)?.iter().map(|row| (row.step, row.loss)).collect();
    Ok(RunReport {
        name: name.to_owned(),
        parameters,
        steps: trained.header.step,
        train_seconds: trained.header.seconds,
        sample_seconds,
        samples: molecules.len(),
        scores,
        cells,
        curve,
        geometry: Geometry::of(&molecules),
        molecules: molecules.into_iter().take(SHOWN).collect(),
    })
}

/// The same model along other routes.
fn cells(run: &Run, trained: &Trained, suite: &Suite, folder: &Path, seed: u64) -> Outcome<Vec<CellReport>> {
    let mut cells = Vec::with_capacity(run.samplings.len());
    for (index, &route) in run.samplings.iter().enumerate() {
        let (molecules, seconds) = samples::drawn_along(trained, route, suite.samples, seed, folder)?;
        let scores = Outcomes::judge(&molecules, suite.protocol)?.scores(suite.groups);
        let cell = CellReport { route, samples: molecules.len(), seconds, scores };
        tracing::info!("{} sampling {} of {}: {}", run.name, index + 1, run.samplings.len(), cell.sentence());
        cells.push(cell);
    }
    Ok(cells)
}

/// The data under the same metrics: the upper bound of the table.
fn real(set: &MoleculeSet, suite: &Suite) -> Outcome<DataReport> {
    let places = set.split().train;
    let step = (places.len() / 2000).max(1);
    let molecules: Vec<Molecule> = places.iter().step_by(step).take(2000).map(|&place| set.molecule(place)).collect();
    Ok(DataReport {
        name: suite.data().map_or_else(|| "embedded set".into(), |path| path.display().to_string()),
        samples: molecules.len(),
        scores: Outcomes::judge(&molecules, suite.protocol)?.scores(suite.groups),
        geometry: Geometry::of(&molecules),
        molecules: molecules.into_iter().take(SHOWN).collect(),
    })
}
