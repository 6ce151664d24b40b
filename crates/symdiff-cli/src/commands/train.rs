//! `train`: one run, from an experiment file to a folder of weights and metrics.

use crate::experiments;
use crate::failure::{Failure, Outcome};
use crate::output::{Context, shown};
use crate::progress::Bar;
use candle_core::Device;
use clap::Args;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use symdiff_models::{Experiment, MoleculeTrainer, resume, start};
use symdiff_train::{CHECKPOINT, Summary, checkpoint};

/// Train a model; stop it at any moment and go on with `--resume`.
#[derive(Args)]
pub(crate) struct Train {
    /// The experiment: a TOML file, or the name of one that is compiled in, such as `symdiff-small`.
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
        let experiment = experiments::read(&self.experiment, &self.settings)?;
        let device = context.device()?;
        let mut trainer = self.trainer(experiment, context, &device)?;
        let summary = drive(&mut trainer, "training")?;
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

    fn trainer(&self, experiment: Experiment, context: &Context, device: &Device) -> Outcome<MoleculeTrainer> {
        let out = self.out.display();
        match (self.resume, MoleculeTrainer::has_checkpoint(&self.out)) {
            (true, true) => {
                same_seed(context.seed, &self.out)?;
                return Ok(resume(&self.out, Some(experiment), context.seed, device)?);
            }
            (false, true) => return Err(Failure::input(format!("{out} holds a run already; add --resume or choose another --out"))),
            (true, false) if !self.out.join("experiment.toml").exists() => {
                return Err(Failure::input(format!("{out}: there is no run to resume; check --out, or leave out --resume to start one")));
            }
            (true, false) => tracing::warn!("{out}: the run has no checkpoint yet; it starts from the beginning"),
            (false, false) => {}
        }
        Ok(start(experiment, context.seed(), &self.out, device)?)
    }
}

/// Refuses a seed that was given and is not the one that a run was started with.
pub(crate) fn same_seed(given: Option<u64>, run: &Path) -> Outcome<()> {
    let Some(seed) = given else { return Ok(()) };
    let recorded = checkpoint::header(&run.join(CHECKPOINT))?.seed;
    if seed == recorded {
        return Ok(());
    }
    let run = run.display();
    Err(Failure::input(format!("{run} was started with seed {recorded}, not {seed}; leave --seed out, or choose another --out")))
}

/// Runs a trainer to the end of its budget under a progress bar.
pub(crate) fn drive(trainer: &mut MoleculeTrainer, label: &str) -> Outcome<Summary> {
    let bar = Bar::new(label);
    let summary = trainer.run(&mut |status| {
        bar.show(status.done, format!("step {}  loss {:.4}  {:.0} molecules/s", status.step, status.loss, status.samples_per_s));
        ControlFlow::Continue(())
    })?;
    Ok(summary)
}
