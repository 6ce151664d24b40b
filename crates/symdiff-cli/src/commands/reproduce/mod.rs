//! `reproduce`: train, sample and evaluate the runs of a suite in the same way, and write the report.

mod budget;
mod results;
mod runs;
mod samples;
mod seeds;

use super::train::drive;
use crate::failure::{Failure, Outcome, note};
use crate::output::{Context, shown};
use crate::plan::Plan;
use crate::progress::Bar;
use crate::report::{self, CellReport, DataReport, Geometry, Machine, Report, RunReport, Tests};
use crate::suite;
use candle_core::Device;
use clap::Args;
use results::Basis;
use runs::{Planned, Runs};
use samples::Drawn;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;
use symdiff_models::suite::{Estimate, Outcomes, Run, Suite};
use symdiff_models::weights::DataRecord;
use symdiff_models::{MoleculeTrainer, Trained, check_elements, resume, start};
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::data::MoleculeSet;
use symdiff_train::metrics::{self, Row};
use symdiff_train::{CHECKPOINT, FolderLock, checkpoint};

const EXAMPLES: &str = "\
Examples:
  symdiff reproduce
  symdiff reproduce --profile qm9 --data qm9.safetensors --device cuda --dry-run
  symdiff reproduce --profile qm9 --data qm9.safetensors --device cuda --out runs/qm9
  symdiff reproduce --profile qm9 --data qm9.safetensors --device cuda --out runs/qm9 --resume
  symdiff reproduce --profile steps --only dit-small,edm-small --out runs/steps     A part of a suite; others on other machines";

/// Reproduce the paper's comparison: SymDiff beside DiT, SymDiff-H and EDM, and in the published suites DiT-Aug, on the same data.
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
    /// Make these runs alone, and tell of others as far as their results are there: so a suite is divided over machines. Copy `result.json` of each finished run into one folder, at the same place as there (`RUN`, of a suite with seeds `RUN/seed-N`), and `--resume` there.
    #[arg(long, value_name = "RUN", value_delimiter = ',')]
    only: Vec<String>,
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

/// The most points of a curve of the loss, each the mean of as many logged ones.
const POINTS: usize = 1000;

/// What is known of a run before any is made.
enum Known {
    /// It is to be made, or to go on.
    Nothing,
    /// Its result.
    Result(Box<RunReport>),
    /// It has no result, and is not asked for.
    LeftOut,
}

impl Reproduce {
    /// Whether a run is to be made.
    fn asks(&self, run: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == run)
    }

    fn known(&self, one: &Planned, suite: &Suite, set: &MoleculeSet, data: &DataRecord) -> Outcome<Known> {
        let run = &suite.runs[one.run];
        // What a folder itself holds is looked at anew: its molecules may have been drawn by another version.
        if self.asks(&run.name) && MoleculeTrainer::has_checkpoint(&one.folder) {
            return Ok(Known::Nothing);
        }
        let unknown = if self.asks(&run.name) { Known::Nothing } else { Known::LeftOut };
        match results::read(one, &Basis::of(run, one.seed, suite, set, data)?) {
            Ok(None) => Ok(unknown),
            Ok(Some(result)) => Ok(Known::Result(Box::new(RunReport { name: run.name.clone(), ..result }))),
            Err(_) if self.only.contains(&run.name) => {
                tracing::warn!("{}: what is there is no result of this run, which is made anew", one.folder.display());
                Ok(Known::Nothing)
            }
            Err(failure) => Err(failure),
        }
    }

    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let began = Instant::now();
        let mut suite = self.suite()?;
        if self.dry_run {
            suite.runs.retain(|run| self.asks(&run.name));
            return planned(&suite, context);
        }
        let out = self.out.clone().unwrap_or_else(|| Path::new("runs").join(&suite.name));
        let runs = Runs::of(&suite, context, self.resume, &out)?;
        let set = suite.molecules()?;
        for run in &suite.runs {
            check_elements(&set, &run.experiment.encoding())?;
        }
        let device = context.device()?;
        for run in suite.runs.iter().filter(|run| self.asks(&run.name)) {
            run.experiment.check_device(&device).map_err(|error| Failure::input(format!("{}: {error}", run.name)))?;
        }
        // From here on there is a folder.
        std::fs::create_dir_all(&out).map_err(|error| Failure::file(&out, "make this folder", &error))?;
        let _lock = FolderLock::acquire(&out)?;
        let data = DataRecord::of("", &set);
        // Before anything is trained: a result that cannot be taken is refused at once.
        let know = |one: Planned| Ok((self.known(&one, &suite, &set, &data)?, one));
        let known: Vec<(Known, Planned)> = runs.planned(&suite, &out).into_iter().map(know).collect::<Outcome<_>>()?;
        let makes = |run: usize| known.iter().any(|(known, one)| one.run == run && matches!(known, Known::Nothing));
        let needed: Vec<bool> = (0..suite.runs.len()).map(makes).collect();
        budget::equalise(&mut suite, &needed, &out, &device)?;
        let make = |one: &Planned| {
            let run = &suite.runs[one.run];
            let basis = Basis::of(run, one.seed, &suite, &set, &data)?;
            let result = one_run(run, one, &basis, &suite, &set, &device)?;
            results::write(one, basis, &result)?;
            Ok(result)
        };
        let report = reported(blank(&suite, &set, runs.first_seed())?, &suite, known, make, &out, began)?;
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
            "seeds": report.seeds,
            "tests": report.tests.made,
            "untested": report.tests.missing,
        }))
    }

    /// The suite, which has the runs that are asked for.
    fn suite(&self) -> Outcome<Suite> {
        let suite = suite::read(&self.profile, &self.settings, self.data.as_deref())?;
        let Some(stranger) = self.only.iter().find(|name| suite.runs.iter().all(|run| run.name != **name)) else { return Ok(suite) };
        let known: Vec<&str> = suite.runs.iter().map(|run| run.name.as_str()).collect();
        Err(Failure::input(format!("--only {stranger}: the suite has no such run; it has {}", known.join(", "))))
    }
}

/// A report without rows.
fn blank(suite: &Suite, set: &MoleculeSet, seed: u64) -> Outcome<Report> {
    Ok(Report {
        title: suite.title.clone(),
        profile: suite.name.clone(),
        command: command_line(),
        seed,
        seeds: Vec::new(),
        machines: Vec::new(),
        tests: Tests::default(),
        nominal_minutes: suite.nominal_minutes,
        seconds: 0.0,
        protocol: suite.protocol,
        rows: Vec::new(),
        data: real(set, suite)?,
        published: if suite.protocol == Protocol::EdmGeom { &report::GEOM } else { &report::QM9 },
    })
}

/// Makes the runs that have no result, and writes the report anew after each, so that a long suite can be read before its end.
fn reported(
    mut report: Report,
    suite: &Suite,
    known: Vec<(Known, Planned)>,
    make: impl Fn(&Planned) -> Outcome<RunReport>,
    out: &Path,
    began: Instant,
) -> Outcome<Report> {
    let mut done: Vec<Vec<RunReport>> = suite.runs.iter().map(|_| Vec::new()).collect();
    let (count, mut missing) = (known.len(), Vec::new());
    // Seconds of runs whose results were there.
    let mut elsewhere = 0.0;
    for (index, (known, one)) in known.into_iter().enumerate() {
        match known {
            Known::LeftOut => {}
            Known::Result(known) => {
                elsewhere += known.train_seconds + known.sample_seconds;
                done[one.run].push(*known);
            }
            Known::Nothing => missing.push((index, one)),
        }
    }
    let mut tell = |done: &[Vec<RunReport>]| {
        let counted = seeds::counted(done);
        report.rows = counted.runs.iter().filter_map(|seeds| seeds::row(suite.nominal_minutes, seeds)).collect();
        report.machines = counted.runs.iter().flatten().map(|result| (result.name.clone(), result.machine.clone())).collect();
        report.tests = seeds::tests(suite, &counted);
        report.seed = counted.seeds.first().copied().unwrap_or(report.seed);
        report.seeds = if counted.seeds.len() > 1 { counted.seeds } else { Vec::new() };
        // A run that an earlier call trained counts with the time that it took then.
        let recorded: f64 = done.iter().flatten().map(|result| result.train_seconds + result.sample_seconds).sum();
        report.seconds = recorded.max(elsewhere + began.elapsed().as_secs_f64());
        report::write(&report, out)
    };
    if missing.is_empty() {
        tell(&done)?;
    }
    for (index, one) in missing {
        tracing::info!("{} ({} of {count})", one.name, index + 1);
        done[one.run].push(make(&one)?);
        done[one.run].sort_by_key(|result| suite.seeds.iter().position(|seed| *seed == result.seed));
        tell(&done)?;
    }
    Ok(report)
}

/// What training the suite would take.
fn planned(suite: &Suite, context: &Context) -> Outcome<Value> {
    let (device, bar) = (context.device()?, Bar::new("measuring"));
    let (mut rows, mut table, mut hours) = (Vec::new(), String::new(), 0.0);
    for (index, Run { name, experiment, .. }) in suite.runs.iter().enumerate() {
        bar.show(index as f64 / suite.runs.len() as f64, name);
        let plan = match suite.minutes {
            Some(minutes) => budget::measured(experiment, &device)?.lasting(minutes),
            None => Plan::of(experiment.clone(), context.seed(), &device)?,
        };
        let mut row = plan.json();
        row["name"] = name.as_str().into();
        rows.push(row);
        table += &plan.line(name);
        hours += plan.hours() * suite.seeds.len().max(1) as f64;
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
fn one_run(run: &Run, planned: &Planned, basis: &Basis, suite: &Suite, set: &MoleculeSet, device: &Device) -> Outcome<RunReport> {
    let (folder, seed, experiment) = (planned.folder.as_path(), planned.seed, run.experiment.clone());
    let (mut trainer, before) = if MoleculeTrainer::has_checkpoint(folder) {
        (resume(folder, Some(experiment), None, device)?, checkpoint::header(&folder.join(CHECKPOINT))?.step)
    } else {
        (start(experiment, seed, folder, device)?, 0)
    };
    let parameters = trainer.variables().count();
    let trains = drive(&mut trainer, &planned.name, folder)?.steps > before;
    drop(trainer);
    // A model that was finished earlier may have been trained elsewhere.
    let machine = results::machine(folder, basis).filter(|_| !trains).unwrap_or_else(Machine::here);

    let trained = Trained::load(folder, device)?;
    let Drawn { molecules, chain, seconds: sample_seconds } = samples::drawn(&trained, run.route, suite.samples, seed, folder)?;
    let outcomes = Outcomes::judge(&molecules, suite.protocol)?;
    let mut scores = outcomes.scores(suite.groups);
    if suite.nll_molecules > 0 {
        let mut places = set.split().test;
        places.truncate(suite.nll_molecules);
        let bar = Bar::new("nll");
        let nll = trained.nll(set, &places, suite.nll_passes, 128, seed, &mut |done| bar.show(done, ""))?;
        scores.nll = Some(Estimate { mean: nll.mean, standard_error: nll.standard_error });
    }
    let cells = cells(run, &trained, suite, folder, seed)?;
    let rows = metrics::rows(folder)?;
    let mean = |rows: &[Row]| Some((rows.last()?.step, rows.iter().map(|row| row.loss).sum::<f64>() / rows.len() as f64));
    let curve = rows.chunks(rows.len().div_ceil(POINTS).max(1)).filter_map(mean).collect();
    let (timed, validated) = metrics::validations(folder)?.iter().map(|row| ((row.seconds, row.scores.loss), row.step)).unzip();
    Ok(RunReport {
        name: run.name.clone(),
        seed,
        machine,
        parameters,
        steps: trained.header.step,
        train_seconds: trained.header.seconds,
        sample_seconds,
        route: run.route,
        samples: molecules.len(),
        scores,
        cells,
        curve,
        timed,
        validated,
        geometry: Geometry::of(&molecules),
        molecules: molecules.into_iter().take(SHOWN).collect(),
        chain,
    })
}

/// The same model along other routes.
fn cells(run: &Run, trained: &Trained, suite: &Suite, folder: &Path, seed: u64) -> Outcome<Vec<CellReport>> {
    let mut cells = Vec::with_capacity(run.samplings.len());
    for (index, &route) in run.samplings.iter().enumerate() {
        let Drawn { molecules, seconds, .. } = if route == run.route {
            samples::drawn(trained, route, suite.samples, seed, folder)?
        } else {
            samples::drawn_along(trained, route, suite.samples, seed, folder)?
        };
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
