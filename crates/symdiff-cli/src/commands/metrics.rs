//! `metrics`: the metrics of a run as a table.

use crate::destination::{Destination, Kind};
use crate::failure::Outcome;
use crate::output::{Context, shown};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use symdiff_train::metrics;

const EXAMPLES: &str = "\
Examples:
  symdiff metrics --run runs/mine > mine.csv
  symdiff metrics --run runs/mine --out mine.csv
  python -c 'import trackio; trackio.import_csv(\"mine.csv\", project=\"symdiff\", name=\"mine\")'";

/// Export the metrics of a run as CSV: one line per logged step, for spreadsheets, pandas and Trackio.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Metrics {
    /// The run folder.
    #[arg(long)]
    run: PathBuf,
    /// The CSV file; stdout when absent.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace a file of another kind.
    #[arg(long)]
    force: bool,
}

/// The head of the table; a cell is empty where a step has no such number.
const HEAD: &str = "step,loss,gradient_norm,lr,seconds,samples_per_s,validation_loss\n";

impl Metrics {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let [rows, validations] = [metrics::FILE, metrics::VALIDATION].map(|name| self.run.join(name));
        let claim = |out| Destination::claim(out, Kind::Table, &[&rows, &validations], self.force);
        let destination = self.out.as_deref().map(claim).transpose()?;
        let mut rows: BTreeMap<u64, [Option<f64>; 6]> = BTreeMap::new();
        for row in metrics::rows(&self.run)? {
            let numbers = [row.loss, row.gradient_norm, row.lr, row.seconds, row.samples_per_s].map(Some);
            rows.entry(row.step).or_default()[..5].copy_from_slice(&numbers);
        }
        for row in metrics::validations(&self.run)? {
            let entry = rows.entry(row.step).or_default();
            (entry[3], entry[5]) = (Some(entry[3].unwrap_or(row.seconds)), Some(row.scores.loss));
        }
        let mut table = HEAD.to_owned();
        for (step, numbers) in &rows {
            let cells = numbers.map(|number| number.map_or_else(String::new, |number| number.to_string()));
            let _ = writeln!(table, "{step},{}", cells.join(","));
        }
        match destination {
            Some(destination) => destination.fill(&table)?,
            None if context.json => {}
            None => {
                context.print(&table)?;
                return Ok(Value::Null);
            }
        }
        Ok(json!({ "run": shown(&self.run), "rows": rows.len(), "file": self.out.as_deref().map(shown) }))
    }
}
