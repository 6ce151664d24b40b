//! One file per command.

mod data;
mod evaluate;

use crate::failure::Outcome;
use crate::output::Context;
use clap::Subcommand;
use serde_json::Value;

/// What can be asked for.
#[derive(Subcommand)]
pub(crate) enum Command {
    Evaluate(evaluate::Evaluate),
    #[command(subcommand)]
    Data(data::Data),
}

impl Command {
    /// Does the work and returns the summary that `--json` prints.
    pub(crate) fn run(&self, _context: &Context) -> Outcome<Value> {
        match self {
            Self::Evaluate(evaluate) => evaluate.run(),
            Self::Data(data) => data.run(),
        }
    }
}
