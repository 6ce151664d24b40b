//! Runs of what an experiment file describes: how they begin and how they go on.

use crate::{Error, Experiment, Result};
use candle_core::Device;
use std::path::Path;
use symdiff_files::Output;
use symdiff_train::{CHECKPOINT, Parameters, Ranks, Settings, Task, Trainer, checkpoint};

/// A task that an experiment describes, with parameters of its own.
pub(crate) trait Described: Task<Error = Error> + Sized {
    /// The task, with fresh parameters.
    fn described(experiment: Experiment, seed: u64, device: &Device) -> Result<Self>;

    /// What is learned.
    fn parameters(&self) -> &Parameters;
}

/// A fresh run in `folder`, which is made once task and data are known to be sound; rank 0 writes.
pub(crate) fn start_with<T: Described, R: Ranks>(
    ranks: R,
    experiment: Experiment,
    seed: u64,
    folder: &Path,
    device: &Device,
) -> Result<Trainer<T, R>> {
    let (settings, record, writes) = (experiment.train.clone(), experiment.to_toml()?, ranks.rank() == 0);
    let task = T::described(experiment, seed, device)?;
    let variables = task.parameters().clone();
    let trainer = Trainer::start_with(ranks, task, &variables, settings, seed, folder)?;
    if writes {
        let path = folder.join("experiment.toml");
        Output::replace(&path)?.fill(record)?;
    }
    Ok(trainer)
}

/// Goes on with the run in `folder`; a given experiment replaces the recorded one in what a run may change.
pub(crate) fn resume_with<T: Described, R: Ranks>(
    ranks: R,
    folder: &Path,
    experiment: Option<Experiment>,
    seed: Option<u64>,
    device: &Device,
) -> Result<Trainer<T, R>> {
    let header = checkpoint::header(&folder.join(CHECKPOINT))?;
    let recorded = Experiment::parse(&header.record.description, &[]);
    if let (Some(experiment), Ok(recorded)) = (&experiment, &recorded) {
        warn_of_other_rates(&experiment.train, &recorded.train, header.step);
    }
    let experiment = experiment.map_or(recorded, Ok)?;
    let settings = experiment.train.clone();
    let task = T::described(experiment, header.seed, device)?;
    let variables = task.parameters().clone();
    Ok(Trainer::resume_with(ranks, task, &variables, settings, seed.unwrap_or(header.seed), folder)?)
}

/// Refuses to go on from a checkpoint of another experiment or of other molecules.
pub(crate) fn same(experiment: bool, molecules: bool) -> Result<(), String> {
    if !molecules {
        return Err("was trained on other molecules than there are now; restore the data, or choose another folder".into());
    }
    let problem = "was made by another experiment; resume with the recorded one, or choose another folder";
    if experiment { Ok(()) } else { Err(problem.into()) }
}

/// A budget of other steps is allowed, and stretches or squeezes a cosine of the learning rate: the user may not think of that.
fn warn_of_other_rates(now: &Settings, recorded: &Settings, step: u64) {
    if now.cosine && now.steps != recorded.steps {
        let [before, after] = [recorded, now].map(|settings| settings.rate(step));
        let (from, to) = (recorded.steps, now.steps);
        tracing::warn!(
            "train.steps is {to} instead of {from}, over which the cosine falls: the learning rate of step {step} is {after:.3e} instead of {before:.3e}"
        );
    }
}
