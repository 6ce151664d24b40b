//! One file per command.

mod bench;
mod check_ops;
mod data;
mod evaluate;
mod gpu_bundle;
mod import;
mod nll;
mod parity;
mod reproduce;
mod sample;
mod tidy;
mod train;

pub(crate) use bench::{Profile, WhenStarted};

use crate::failure::Outcome;
use crate::output::Context;
use clap::Subcommand;
use serde_json::Value;

/// What can be asked for.
#[derive(Subcommand)]
pub(crate) enum Command {
    Reproduce(reproduce::Reproduce),
    Train(train::Train),
    Sample(sample::Sample),
    Evaluate(evaluate::Evaluate),
    Nll(nll::Nll),
    Parity(parity::Parity),
    Import(import::Import),
    #[command(subcommand)]
    Bench(bench::Bench),
    CheckOps(check_ops::CheckOps),
    GpuBundle(gpu_bundle::GpuBundle),
    #[command(subcommand)]
    Data(data::Data),
    Tidy(tidy::Tidy),
}

impl Command {
    /// What listens to the spans of ops, where a command has use for it.
    pub(crate) fn profile(&self) -> Option<Profile> {
        if let Self::Bench(bench) = self { bench.profile() } else { None }
    }

    /// Does the work and returns the summary that `--json` prints.
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        match self {
            Self::Reproduce(reproduce) => reproduce.run(context),
            Self::Train(train) => train.run(context),
            Self::Sample(sample) => sample.run(context),
            Self::Evaluate(evaluate) => evaluate.run(context),
            Self::Nll(nll) => nll.run(context),
            Self::Bench(bench) => bench.run(context),
            Self::Parity(parity) => parity.run(context),
            Self::Import(import) => import.run(),
            Self::CheckOps(_) => check_ops::run(context),
            Self::GpuBundle(bundle) => bundle.run(),
            Self::Data(data) => data.run(),
            Self::Tidy(tidy) => tidy.run(),
        }
    }
}
