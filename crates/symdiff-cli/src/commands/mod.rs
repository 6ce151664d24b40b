//! One file per command.

mod asking;
mod card;
mod data;
mod describe;
mod doctor;
mod evaluate;
mod export;
mod fetch;
mod gather;
mod import;
mod metrics;
mod nll;
mod reproduce;
mod sample;
mod shared;
mod target;
mod train;
mod verify;

use crate::failure::{Failure, Outcome};
use crate::output::Context;
use clap::Subcommand;
use serde_json::Value;

/// The commands.
#[derive(Subcommand)]
#[expect(private_interfaces, reason = "programs parse and run a command; its arguments are its own")]
#[expect(missing_docs, reason = "help texts stand on the arguments of each command")]
pub enum Command {
    Reproduce(reproduce::Reproduce),
    Train(train::Train),
    Sample(Box<sample::Sample>),
    Evaluate(evaluate::Evaluate),
    Nll(nll::Nll),
    Gather(gather::Gather),
    Import(import::Import),
    Export(export::Export),
    Verify(verify::Verify),
    Card(card::Card),
    Fetch(fetch::Fetch),
    Metrics(metrics::Metrics),
    #[command(subcommand, after_help = data::EXAMPLES)]
    Data(data::Data),
    Doctor(doctor::Doctor),
    Completions(describe::Completions),
    Man(describe::Man),
}

impl Command {
    /// Does the work and returns the summary that `--json` prints.
    ///
    /// # Errors
    /// [`Failure`](crate::Failure), which says whether arguments and files were wrong or the work failed.
    pub fn run(&self, context: &Context) -> Outcome<Value> {
        let several = matches!(self, Self::Train(_) | Self::Sample(_) | Self::Evaluate(_) | Self::Nll(_));
        if context.job.size() > 1 && !several {
            let started = context.job.size();
            return Err(Failure::input(format!(
                "this command runs in one process, and {started} were started; `train`, `sample`, `evaluate` and `nll` run in several"
            )));
        }
        match self {
            Self::Reproduce(reproduce) => reproduce.run(context),
            Self::Train(train) => train.run(context),
            Self::Sample(sample) => sample.run(context),
            Self::Evaluate(evaluate) => evaluate.run(context),
            Self::Nll(nll) => nll.run(context),
            Self::Gather(gather) => gather.run(context),
            Self::Import(import) => import.run(),
            Self::Metrics(metrics) => metrics.run(context),
            Self::Export(export) => export.run(context),
            Self::Verify(verify) => verify.run(context),
            Self::Card(card) => card.run(context),
            Self::Fetch(fetch) => fetch.run(),
            Self::Data(data) => data.run(),
            Self::Doctor(_) => Ok(doctor::Doctor::run()),
            Self::Completions(completions) => completions.run(context),
            Self::Man(man) => man.run(context),
        }
    }
}
