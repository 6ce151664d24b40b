//! `evaluate A B`: whether two sets differ by more than chance.

use super::energies::Energies;
use crate::failure::{Failure, Outcome};
use crate::output::{Context, shown};
use crate::progress::Progress;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::metrics::{Checks, Design, Difference, Evaluated, Input, Resampling, differences, judge_pieces};

/// How two files are compared.
pub(super) struct Comparing<'a> {
    /// The rules that judge both.
    pub(super) protocol: Protocol,
    /// Energies, where they are asked for.
    pub(super) energies: Option<Energies<'a>>,
    /// Exchanges of labels.
    pub(super) exchanges: u32,
    /// How intervals are drawn.
    pub(super) draw: Resampling,
}

impl Comparing<'_> {
    /// Compares two files by every number that both have.
    pub(super) fn compare(mut self, context: &Context, first: &Path, second: &Path) -> Outcome<Value> {
        let [ours, theirs] = [self.evaluated(first)?, self.evaluated(second)?];
        let design = Design::of(names(&ours), names(&theirs));
        let exchanges = Resampling { replicates: self.exchanges, ..self.draw };
        let found = differences(&ours, &theirs, &design, exchanges, self.draw);
        if !context.json {
            context.print(&table(&found))?;
        }
        Ok(json!({
            "first": shown(first),
            "second": shown(second),
            "first_molecules": ours.verdicts.len(),
            "second_molecules": theirs.verdicts.len(),
            "test": if design == Design::Independent { "permutation" } else { "paired permutation" },
            "exchanges": self.exchanges,
            "differences": found,
        }))
    }

    /// All that is known of the molecules of a file.
    fn evaluated(&mut self, path: &Path) -> Outcome<Evaluated> {
        let mut found = Evaluated::default();
        let progress = Progress::new("judging");
        judge_pieces(Input::File(path), self.protocol, |molecules, verdicts| {
            let measured = self.energies.as_mut().map(|energies| energies.of(molecules, &progress)).transpose()?;
            progress.advance(if measured.is_some() { 0 } else { molecules.len() as u64 });
            found.verdicts.extend_from_slice(verdicts);
            found.checks.extend(Checks::of_all(molecules, self.protocol).map_err(Failure::input)?);
            found.profile.observe(molecules);
            found.energies.extend(measured.unwrap_or_default().into_iter().map(|measured| measured.energy));
            Ok::<(), Failure>(())
        })?;
        if found.verdicts.is_empty() {
            return Err(Failure::input(format!("{}: the file holds no molecule; write at least one", path.display())));
        }
        Ok(found)
    }
}

/// Names of the molecules.
fn names(set: &Evaluated) -> impl ExactSizeIterator<Item = &str> {
    set.verdicts.iter().map(|verdict| verdict.id.as_str())
}

fn table(found: &[Difference]) -> String {
    let mut text = format!("{:<20} {:>9} {:>9} {:>10}  {:<22} {:>7} {:>7}\n", "", "first", "second", "difference", "95 %", "p", "p Holm");
    for row in found {
        let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        let ends = row.low.zip(row.high).map_or_else(|| "–".to_owned(), |(low, high)| format!("{low:.4} to {high:.4}"));
        let values = [row.first, row.second].map(|side| number(side.map(|side| side.value)));
        let verdict = if row.significant { "significant" } else { "not significant" };
        let (metric, difference, p, holm) = (row.metric, row.difference, row.p_value, row.p_holm);
        let _ =
            writeln!(text, "{metric:<20} {:>9} {:>9} {difference:>10.4}  {ends:<22} {p:>7.4} {holm:>7.4}  {verdict}", values[0], values[1]);
    }
    text.push('\n');
    text
}
