//! The program `symdiff`. Every command is in the library beside it; every algorithm is in a crate below.

use clap::Parser;
use mimalloc::MiMalloc;
use std::process::ExitCode;
use symdiff_cli::Cli;

/// A training step allocates tensors of the same few sizes again and again: an allocator that reuses memory avoids page faults.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let Cli { context, command } = Cli::parse();
    context.carry_out(None, || command.run(&context))
}
