//! Layer 6: the commands of the program `symdiff`, as a library for programs with further commands.
//!
//! Wiring only: a command reads its arguments, calls the crates below and prints a summary. `cargo xtask` holds the same commands beside those
//! of developers. Experiments and suites are compiled in ([`builtin`]), so the program needs no file but itself.

pub mod builtin;
mod commands;
mod destination;
mod experiments;
mod failure;
mod hash;
mod interrupt;
mod job;
mod line;
mod model;
mod model_card;
mod output;
mod plan;
pub mod progress;
pub mod report;
mod restart;
mod shard;
mod suite;

pub use commands::Command;
pub use failure::{Failure, Outcome};
pub use output::{Context, Listener, shown};

/// The command line of `symdiff`.
#[derive(clap::Parser)]
#[command(name = "symdiff", version, about, long_about = LONG, after_help = EXAMPLES)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub context: Context,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const LONG: &str = "Equivariant diffusion of molecules by stochastic symmetrisation (arXiv 2410.06262): train models, draw molecules from them, \
judge molecules, and reproduce the paper's tables.";

/// What a first reader types.
pub const EXAMPLES: &str = "\
Examples:
  symdiff reproduce                                  The paper's comparison on a laptop; writes runs/quick/report.html
  symdiff train symdiff-small --out runs/mine        Train an experiment that is compiled in
  symdiff train mine.toml --set train.lr=1e-4        Train one of your own, with one setting changed
  symdiff train mine.toml --dry-run                  What it would take: parameters, memory, hours
  symdiff train mine.toml --out runs/mine --resume   Go on where a run stopped
  symdiff sample -n 50 --out m.sdf --gallery m.html  Draw 50 molecules from the model that is compiled in, and look at them
  symdiff sample --run runs/mine -n 200 --out s.sdf  Draw 200 molecules from a model of yours
  symdiff evaluate s.sdf                             Stability, validity, uniqueness
  symdiff nll --run runs/mine                        Negative log-likelihood of held-out molecules
  symdiff metrics --run runs/mine --out mine.csv     The training curve as a table
  symdiff export --run runs/mine --out a.safetensors  One file of weights that says what it is

Exit codes: 0 done, 1 the work failed, 2 an argument or a file is wrong.";
