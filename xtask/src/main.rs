//! `cargo xtask`: train, sample, judge and measure. Wiring only; every algorithm lives in a crate.

mod commands;
mod failure;
mod output;
mod progress;
mod report;
mod scores;
mod tidy;

use clap::Parser;
use commands::Command;
use mimalloc::MiMalloc;
use output::Context;
use std::process::ExitCode;

/// Activations come in a few sizes again and again: a reusing allocator spares their page faults.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Equivariant diffusion via stochastic symmetrisation.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Cli {
    #[command(flatten)]
    context: Context,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.context.prepare(cli.command.profile()).and_then(|()| cli.command.run(&cli.context)) {
        Ok(summary) => cli.context.finish(&summary),
        Err(failure) => failure.report(),
    }
}
