//! `parity`: agreement with the reference implementation.

use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use symdiff_cli::{Context, Failure, Outcome};
use symdiff_models::parity;

/// Compare every part with golden files of the reference implementation.
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
                context.print(&format!("{report}\n"))?;
            }
            reports.push(report);
        }
        let failed: Vec<&str> = reports.iter().filter(|report| !report.pass).map(|report| report.file.as_str()).collect();
        let summary = json!({ "pass": failed.is_empty(), "files": reports });
        if failed.is_empty() {
            return Ok(summary);
        }
        context.summarise(&summary)?;
        Err(Failure::run(format!("{} of {} golden files are not met: {}", failed.len(), reports.len(), failed.join(", "))))
    }
}
