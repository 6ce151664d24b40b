//! `train`: one run, from an experiment file to a folder of weights and metrics.

use crate::failure::{Failure, Outcome};
use crate::output::Context;
use crate::progress::Bar;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use symdiff_train::{Experiment, Summary, Trainer};

/// Train a model; stop it at any moment and go on with `--resume`.
#[derive(Args)]
pub(crate) struct Train {
    /// The experiment file (see `experiments/`).
    experiment: PathBuf,
    /// Settings over the file's: `--set train.lr=1e-4`.
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    settings: Vec<String>,
    /// The run folder.
    #[arg(long, default_value = "runs/train")]
    out: PathBuf,
    /// Go on from the folder's last checkpoint.
    #[arg(long)]
    resume: bool,
}

impl Train {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let experiment = Experiment::read(&self.experiment, &self.settings)?;
        let device = context.device()?;
        let mut trainer = if self.resume && Trainer::has_checkpoint(&self.out) {
            Trainer::resume(&self.out, Some(experiment), &device)?
        } else if Trainer::has_checkpoint(&self.out) {
            return Err(Failure::input(format!("{} holds a run already; add --resume or choose another --out", self.out.display())));
        } else {
            Trainer::start(experiment, context.seed, &self.out, &device)?
        };
        let summary = drive(&mut trainer, "training")?;
        Ok(json!({
            "run": self.out,
            "steps": summary.steps,
            "epochs": summary.epochs,
            "seconds": summary.seconds,
            "loss": summary.loss,
            "molecules_per_s": summary.molecules_per_s,
            "parameters": trainer.parameters(),
        }))
    }
}

/// Runs a trainer to the end of its budget under a progress bar.
pub(crate) fn drive(trainer: &mut Trainer, label: &str) -> Outcome<Summary> {
    let bar = Bar::new(label);
    let summary = trainer.run(&mut |status| {
        bar.show(status.done, format!("step {}  loss {:.4}  {:.0} molecules/s", status.step, status.loss, status.molecules_per_s));
    })?;
    Ok(summary)
}
