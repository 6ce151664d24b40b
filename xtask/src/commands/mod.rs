//! One file per command.

mod bench;
mod check_ops;
mod gpu_bundle;
mod parity;
mod tidy;
mod torture;

use clap::Subcommand;
use serde_json::Value;
use symdiff_cli::{Context, Listener, Outcome};

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Symdiff(symdiff_cli::Command),
    Parity(parity::Parity),
    #[command(subcommand)]
    Bench(bench::Bench),
    CheckOps(check_ops::CheckOps),
    GpuBundle(gpu_bundle::GpuBundle),
    Tidy(tidy::Tidy),
    Torture(torture::Torture),
}

impl Command {
    /// A listener to the spans of ops, for commands that need one.
    pub(crate) fn listener(&self) -> Option<Listener> {
        if let Self::Bench(bench) = self { bench.listener() } else { None }
    }

    /// Does the work and returns the summary that `--json` prints.
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        match self {
            Self::Symdiff(command) => command.run(context),
            Self::Parity(parity) => parity.run(context),
            Self::Bench(bench) => bench.run(context),
            Self::CheckOps(_) => check_ops::run(context),
            Self::GpuBundle(bundle) => bundle.run(),
            Self::Tidy(tidy) => tidy.run(),
            Self::Torture(torture) => torture.run(context),
        }
    }
}
