//! `evaluate --all`: one file by every protocol, each number with its interval.

use super::seen::Seen;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::fmt::Write;
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::{Protocol, Verdict};
use symdiff_mol::metrics::{Column, Interval, Resampling};

/// Verdicts of every protocol.
pub(super) struct All {
    main: Protocol,
    judged: Vec<(Protocol, Judged)>,
}

/// What a protocol says of all molecules, or why it cannot judge one of them.
type Judged = Result<Vec<Verdict>, String>;

impl All {
    /// Every protocol; the verdicts of `main` are handed over.
    pub(super) fn new(main: Protocol) -> Self {
        Self { main, judged: Protocol::ALL.map(|protocol| (protocol, Ok(Vec::new()))).into() }
    }

    /// Judges more molecules.
    pub(super) fn observe(&mut self, molecules: &[Molecule], verdicts: &[Verdict]) {
        for (protocol, judged) in &mut self.judged {
            let Ok(known) = judged else { continue };
            if *protocol == self.main {
                known.extend_from_slice(verdicts);
                continue;
            }
            let judge = |molecule: &Molecule| protocol.judge(molecule).map_err(|fault| format!("molecule {}: {fault}", molecule.name()));
            match molecules.par_iter().map(judge).collect::<Result<Vec<_>, _>>() {
                Ok(found) => known.extend(found),
                Err(why) => *judged = Err(why),
            }
        }
    }

    /// Adds `protocols`, `geometry_intervals` and `strain` to a summary. A reference has the SMILES that the main protocol gives it, so novelty is the main
    /// protocol's alone.
    pub(super) fn report(&self, seen: &Seen, reference: Option<&HashSet<String>>, draw: Resampling, summary: &mut Value) {
        let one = |(protocol, judged): &(Protocol, Judged)| {
            let found = match judged {
                Ok(verdicts) => json!(Column::rated(verdicts, reference.filter(|_| *protocol == self.main), draw)),
                Err(why) => json!({ "skipped": why }),
            };
            (protocol.name().to_owned(), found)
        };
        summary["protocols"] = Value::Object(self.judged.iter().map(one).collect());
        summary["geometry_intervals"] = json!(seen.checks.intervals());
        summary["strain"] = strain(seen, draw);
    }
}

/// Mean and median strain in kcal/mol.
fn strain(seen: &Seen, draw: Resampling) -> Value {
    let strains: Vec<f64> = seen.energies.iter().filter_map(|(_, energy)| Some((*energy)?.strain)).collect();
    if strains.is_empty() {
        let why = if seen.energies.is_empty() { "the program xtb is not on PATH" } else { "xtb has relaxed no molecule" };
        return json!({ "skipped": why });
    }
    let mean = Column::Ratio(strains.iter().map(|strain| [*strain, 1.0]).collect()).interval(draw);
    let mut sorted = strains;
    sorted.sort_unstable_by(f64::total_cmp);
    let median = |weights: &[u32]| {
        let half = weights.iter().sum::<u32>().div_ceil(2);
        let mut below = 0;
        sorted.iter().zip(weights).find_map(|(strain, weight)| {
            below += weight;
            (below >= half).then_some(*strain)
        })
    };
    json!({ "mean": mean, "median": Interval::bootstrap(sorted.len(), draw, median), "unit": "kcal/mol" })
}

/// The intervals of a summary for people.
pub(super) fn table(summary: &Value) -> String {
    let mut text = String::new();
    let mut section = |title: &str, rows: &Map<String, Value>| {
        let _ = writeln!(text, "{title}");
        for (name, row) in rows {
            match (row["value"].as_f64(), row["low"].as_f64(), row["high"].as_f64()) {
                (Some(value), Some(low), Some(high)) => {
                    let kind = row["interval"].as_str().or(row["unit"].as_str()).unwrap_or_default();
                    let _ = writeln!(text, "  {name:<20} {value:>9.4}  {low:>9.4} to {high:<9.4} {kind}");
                }
                _ => {
                    let _ = writeln!(text, "  {name:<20} {}", row.as_str().unwrap_or_default());
                }
            }
        }
    };
    let nested = |value: &Value| value.as_object().cloned().unwrap_or_default();
    for (protocol, rows) in nested(&summary["protocols"]) {
        section(&protocol, &nested(&rows));
    }
    section("geometry checks", &nested(&summary["geometry_intervals"]));
    let features = summary["distributions"].as_array().into_iter().flatten();
    let features = features.filter_map(|row| Some((row["feature"].as_str()?.to_owned(), row.clone())));
    section("distances from the reference", &features.collect());
    section("strain", &nested(&summary["strain"]));
    text.push('\n');
    text
}
