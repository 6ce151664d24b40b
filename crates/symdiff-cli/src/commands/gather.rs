//! `gather`: the shares that `--shard` has written, joined to the result of one process.

use super::{evaluate, nll, sample};
use crate::destination::{Destination, Kind};
use crate::failure::{Failure, Outcome};
use crate::output::{Context, shown};
use crate::shard;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  symdiff sample --run runs/mine -n 10000 --shard 0/4 --out part-0.shard   (and 1/4, 2/4, 3/4, on other machines)
  symdiff gather part-*.shard --out samples.sdf
  symdiff nll --run runs/mine --shard 0/2 --out nll-0.shard
  symdiff gather nll-*.shard
  symdiff evaluate samples.sdf --xtb --shard 0/2 --out xtb-0.shard
  symdiff gather xtb-*.shard                                               (where `samples.sdf` is)";

/// Join the shares of `sample`, `nll` or `evaluate` that `--shard` has written. They must be all of one result.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Gather {
    /// The files of all shares, in any order.
    #[arg(required = true)]
    shards: Vec<PathBuf>,
    /// The molecule file to write, for shares of `sample`: `.xyz`, `.sdf`, `.npz`, …
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace the file of --out even if it holds something else.
    #[arg(long, requires = "out")]
    force: bool,
}

impl Gather {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let (work, lines) = shard::join(&self.shards)?;
        match (work.command.as_str(), &self.out) {
            (sample::NAME, Some(path)) => {
                let shards: Vec<&Path> = self.shards.iter().map(PathBuf::as_path).collect();
                let mut out = Destination::claim(path, Kind::Molecules, &shards, self.force)?;
                let molecules = sample::write(&work, &lines, &mut out, path)?;
                out.finish()?;
                Ok(json!({ "file": shown(path), "molecules": molecules }))
            }
            (sample::NAME, None) => Err(Failure::input("these are shares of `sample`; add --out with the molecule file to write")),
            (nll::NAME, None) => nll::joined(&work, &lines),
            (evaluate::NAME, None) => evaluate::joined(&work, &lines, context),
            (command @ (nll::NAME | evaluate::NAME), Some(_)) => {
                Err(Failure::input(format!("these are shares of `{command}`, whose result is printed; leave out --out")))
            }
            (other, _) => Err(Failure::input(format!("these are shares of `{other}`, which this program cannot join"))),
        }
    }
}
