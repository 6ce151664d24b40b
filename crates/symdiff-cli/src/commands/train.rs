//! `train`: one run, from an experiment file to a folder of weights and metrics.

use crate::experiments;
use crate::failure::{Failure, Outcome};
use crate::interrupt;
use crate::output::{Context, shown};
use crate::plan::Plan;
use crate::progress::Bar;
use candle_core::Device;
use clap::Args;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use symdiff_models::property::{self, TrainedProperty};
use symdiff_models::{Error, MoleculeTrainer, resume_with, start_with};
use symdiff_train::{Ranks, Summary, Task, Trainer};

const EXAMPLES: &str = "\
Examples:
  symdiff train symdiff-small --out runs/mine
  symdiff train mine.toml --set train.lr=1e-4 --set train.minutes=30 --out runs/mine
  symdiff train mine.toml --dry-run
  symdiff train mine.toml --out runs/mine --resume
  symdiff train property-gap --out runs/gap          A network that tells a property, for `evaluate --network`
  mpirun -n 4 symdiff train mine.toml --set train.shares=4 --out runs/mine";

/// Train a model. Training can be stopped at any moment and continued with `--resume`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Train {
    /// The experiment: a TOML file, or the name of one that is compiled in, such as `symdiff-small`.
    experiment: PathBuf,
    /// Override a setting of the experiment: `--set train.lr=1e-4`.
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    settings: Vec<String>,
    /// The run folder.
    #[arg(long, default_value = "runs/train")]
    out: PathBuf,
    /// Continue from the last checkpoint of the folder.
    #[arg(long)]
    resume: bool,
    /// Train for a few seconds in a temporary folder, and tell what the whole would take: parameters, memory, hours.
    #[arg(long, conflicts_with = "resume")]
    dry_run: bool,
}

impl Train {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let experiment = experiments::read(&self.experiment, &self.settings)?;
        let device = context.device()?;
        if self.dry_run {
            return Ok(Plan::of(experiment, context.seed(), &device)?.json());
        }
        let processes = context.processes(&device)?;
        let (out, seed) = (self.out.as_path(), context.seed);
        match (&experiment.property, self.goes_on(context)?) {
            (None, true) => self.trained(resume_with(processes, out, Some(experiment), seed, &device)?),
            (None, false) => self.trained(start_with(processes, experiment, context.seed(), out, &device)?),
            (Some(_), goes_on) => {
                let mut summary = if goes_on {
                    self.trained(property::resume_with(processes, out, Some(experiment), seed, &device)?)?
                } else {
                    self.trained(property::start_with(processes, experiment, context.seed(), out, &device)?)?
                };
                // The other processes may be done before the checkpoint is written, and print nothing.
                if processes.rank() == 0 {
                    summary["property"] = validated(out, &device)?;
                }
                Ok(summary)
            }
        }
    }

    /// Trains to the end of the budget; the summary.
    fn trained<T: Task<Error = Error>, R: Ranks>(&self, mut trainer: Trainer<T, R>) -> Outcome<Value> {
        let summary = drive(&mut trainer, "training", &self.out)?;
        Ok(json!({
            "run": shown(&self.out),
            "steps": summary.steps,
            "epochs": summary.epochs,
            "seconds": summary.seconds,
            "loss": summary.loss,
            "molecules_per_s": summary.samples_per_s,
            "parameters": trainer.variables().count(),
        }))
    }

    /// Whether there is a run to go on with.
    fn goes_on(&self, context: &Context) -> Outcome<bool> {
        let out = self.out.display();
        match (self.resume, MoleculeTrainer::has_checkpoint(&self.out)) {
            (true, true) => return Ok(true),
            (false, true) => return Err(Failure::input(format!("{out} holds a run already; add --resume or choose another --out"))),
            (true, false) if !self.out.join("experiment.toml").exists() => {
                return Err(Failure::input(format!("{out}: there is no run to resume; check --out, or leave out --resume to start one")));
            }
            (true, false) => {
                tracing::warn!("{out}: the run has no checkpoint yet; it starts from the beginning, with seed {}", context.seed());
            }
            (false, false) => {}
        }
        Ok(false)
    }
}

/// What a property network predicts for molecules of the validation part.
fn validated(run: &Path, device: &Device) -> Outcome<Value> {
    let network = TrainedProperty::load(run, device)?;
    let scores = network.validated()?;
    Ok(
        json!({ "name": network.name(), "validation_mae": scores.loss, "standard_error": scores.standard_error, "molecules": scores.samples }),
    )
}

/// Runs a trainer to the end of its budget with a progress bar. The first signal ends it earlier: it finishes the step and saves.
pub(crate) fn drive<T: Task<Error = Error>, R: Ranks>(trainer: &mut Trainer<T, R>, label: &str, folder: &Path) -> Outcome<Summary> {
    let bar = Bar::new(label);
    let summary = interrupt::heeded(|stop| {
        trainer.run(&mut |status| {
            bar.show(status.done, format!("step {}  loss {:.4}  {:.0} molecules/s", status.step, status.loss, status.samples_per_s));
            if stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    })?;
    drop(bar);
    let (step, folder) = (summary.steps, folder.display());
    let then = if summary.finished { "the budget is spent" } else { "go on with --resume" };
    interrupt::caught(|| format!("step {step}, saved in {folder}; {then}"))?;
    Ok(summary)
}
