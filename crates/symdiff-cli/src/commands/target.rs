//! What was asked of molecules, against what they turned out to be: `evaluate --target`.

use crate::failure::{Failure, Outcome};
use crate::report;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use symdiff_models::GIVEN;
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::{Protocol, Verdict};
use symdiff_mol::metrics::{SinglePoint, TargetSummary};

/// Where the values are that molecules are compared with.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    /// In the file: those that `sample --given` has kept as `given_NAME`.
    Given,
}

/// What was computed of a molecule, by property.
pub(crate) type Got = BTreeMap<String, f64>;

/// What computes properties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Computer {
    /// The program, of a few properties.
    #[default]
    Xtb,
    /// Property networks, each of its own property.
    Networks,
}

impl Computer {
    /// The axis of what it computes.
    fn label(self) -> &'static str {
        match self {
            Self::Xtb => "got (GFN2-xTB)",
            Self::Networks => "got (property network)",
        }
    }
}

/// Asked and computed values, by property.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    /// `(asked, got)` of valid molecules.
    pairs: BTreeMap<String, Vec<(f64, f64)>>,
    /// The same of all molecules.
    all: BTreeMap<String, Vec<(f64, f64)>>,
    computer: Computer,
    /// Valid molecules with what was asked of their first property; [`KEPT`] at most.
    shown: Vec<(f64, Molecule)>,
}

/// Molecules among which those of the page are chosen, and those of the page.
const KEPT: usize = 2400;
const SHOWN: usize = 24;

impl Targets {
    /// Counts molecules with what was computed of each; those of which nothing was count for no property.
    ///
    /// # Errors
    /// A property that `xtb` does not compute.
    pub(crate) fn observe(&mut self, molecules: &[Molecule], verdicts: &[Verdict], got: &[Got], computer: Computer) -> Outcome<()> {
        self.computer = computer;
        for ((molecule, verdict), got) in molecules.iter().zip(verdicts).zip(got) {
            if let Some((name, asked)) = asked(molecule).next().filter(|_| verdict.valid && self.shown.len() < KEPT) {
                let name = format!("{}: {name} = {asked:.2} was asked", molecule.name());
                self.shown.push((asked, molecule.clone().renamed(name)));
            }
            for (name, asked) in asked(molecule) {
                if computer == Computer::Xtb && !SinglePoint::NAMES.contains(&name) {
                    let known = SinglePoint::NAMES.join(", ");
                    return Err(Failure::input(format!("molecule {}: xtb computes no `{name}`, only {known}", molecule.name())));
                }
                let [valid, all] = [&mut self.pairs, &mut self.all].map(|pairs| pairs.entry(name.to_owned()).or_default());
                if let Some(got) = got.get(name) {
                    all.push((asked, *got));
                    if verdict.valid {
                        valid.push((asked, *got));
                    }
                }
            }
        }
        Ok(())
    }

    /// The page: a plot for each property, and molecules evenly spaced in the order of the first.
    ///
    /// # Errors
    /// When the protocol does not know how to judge one of the molecules.
    pub(crate) fn page(&self, source: &Path, protocol: Protocol) -> Outcome<String> {
        let mut sorted: Vec<&(f64, Molecule)> = self.shown.iter().collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let count = sorted.len().min(SHOWN);
        let chosen: Vec<Molecule> = (0..count).map(|k| sorted[k * sorted.len() / count].1.clone()).collect();
        report::asked(&format!("Asked of {}", source.display()), self.computer.label(), &self.pairs, &chosen, protocol)
            .map_err(Failure::run)
    }

    /// The part of the summary: of each property its errors over valid molecules, and under networks also over all molecules, as EDM counts.
    ///
    /// # Errors
    /// When nothing was asked of any molecule.
    pub(crate) fn summary(&self) -> Outcome<BTreeMap<String, Value>> {
        if self.pairs.is_empty() {
            return Err(Failure::input("--target given: no molecule of the file has a property given_NAME; draw them by sample --given"));
        }
        let of = |(name, pairs): (&String, &Vec<(f64, f64)>)| {
            let mut summary = json!(TargetSummary::of(pairs));
            if self.computer == Computer::Networks {
                summary["all"] = json!(TargetSummary::of(&self.all[name]));
            }
            (name.clone(), summary)
        };
        Ok(self.pairs.iter().map(of).collect())
    }
}

/// The properties that were asked of a molecule, without the beginning of their names.
pub(crate) fn asked(molecule: &Molecule) -> impl Iterator<Item = (&str, f64)> {
    molecule.properties().iter().filter_map(|(name, value)| Some((name.strip_prefix(GIVEN)?, *value)))
}
