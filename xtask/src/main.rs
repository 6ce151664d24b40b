//! `cargo xtask`: the commands of `symdiff`, and beside them those of developers. Wiring only; every algorithm lives in a crate.

mod commands;
mod tidy;

use clap::Parser;
use commands::Command;
use mimalloc::MiMalloc;
use std::process::ExitCode;
use symdiff_cli::Context;

/// A training step allocates tensors of the same few sizes again and again: an allocator that reuses memory avoids page faults.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The commands of `symdiff`, built from the sources in this folder, and those of its developers.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Cli {
    #[command(flatten)]
    context: Context,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let Cli { context, command } = Cli::parse();
    context.carry_out(command.listener(), || command.run(&context))
}
