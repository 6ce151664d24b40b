//! `parity`: agreement with the reference implementation.

use crate::failure::{Failure, Outcome};
use crate::output::Context;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use symdiff_train::parity;

/// Hold every part against golden vectors of the reference implementation.
#[derive(Args)]
pub(crate) struct Parity {
    /// The folder of golden files.
    #[arg(long)]
    golden: PathBuf,
}

impl Parity {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let device = context.device()?;
        let mut reports = Vec::new();
        for file in parity::files(&self.golden)? {
            let report = parity::check(&file, &device)?;
            if !context.json {
                println!("{report}");
            }
            reports.push(report);
        }
        let failed: Vec<&str> = reports.iter().filter(|report| !report.pass).map(|report| report.file.as_str()).collect();
        let summary = json!({ "pass": failed.is_empty(), "files": reports });
        if failed.is_empty() {
            return Ok(summary);
        }
        context.finish(&summary);
        Err(Failure::run(format!("{} of {} golden files are not met: {}", failed.len(), reports.len(), failed.join(", "))))
    }
}
