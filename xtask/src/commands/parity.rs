//! `parity`: agreement with the reference implementation.

use crate::failure::{Failure, Outcome};
use crate::output::Context;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use symdiff_train::parity::{self, FileReport};

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
                println!("{}", line(&report));
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

fn line(report: &FileReport) -> String {
    let FileReport { file, pass, max_abs, max_rel, worst, share, results, problem } = report;
    let verdict = if *pass { "pass" } else { "FAIL" };
    let tightest = if worst.is_empty() { String::new() } else { format!("  {worst} at {:.0} % of its tolerance", 100.0 * share) };
    let problem = problem.as_deref().map(|problem| format!("\n      {problem}")).unwrap_or_default();
    format!("{verdict}  {file:<40} abs {max_abs:.1e}  rel {max_rel:.1e}  results {results:>3}{tightest}{problem}")
}
