//! `evaluate --rows`: one line per molecule.

use super::super::target::asked;
use super::energies::Measured;
use crate::destination::Destination;
use crate::failure::{Failure, Outcome};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::Verdict;

/// A line: the verdict, and the results of `xtb` with `--xtb`.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    verdict: &'a Verdict,
    #[serde(flatten)]
    measured: Option<Numbers<'a>>,
}

/// What `xtb` says of a molecule, null where it failed: energy in hartree, strain in kcal/mol, and of each property that was asked for `[asked, got]`.
#[derive(Serialize)]
struct Numbers<'a> {
    energy: Option<f64>,
    strain: Option<f64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    target: BTreeMap<&'a str, [Option<f64>; 2]>,
}

/// The file of one line per molecule.
pub(super) struct Rows {
    pub(super) path: PathBuf,
    pub(super) destination: Destination,
}

impl Rows {
    /// One line per molecule, with energies under `--xtb`.
    pub(super) fn write_all(&mut self, molecules: &[Molecule], verdicts: &[Verdict], measured: Option<&[Measured]>) -> Outcome<()> {
        for (at, verdict) in verdicts.iter().enumerate() {
            let measured = measured.map(|measured| {
                let Measured { point, total, energy, .. } = &measured[at];
                let of = |(name, value)| (name, [Some(value), point.and_then(|point| point.property(name))]);
                let target = asked(&molecules[at]).map(of).collect();
                Numbers { energy: *total, strain: energy.map(|energy| energy.strain), target }
            });
            let row = Row { verdict, measured };
            let mut line = serde_json::to_string(&row).map_err(Failure::run)?;
            line.push('\n');
            self.destination.write_all(line.as_bytes()).map_err(|error| Failure::file(&self.path, "write to it", &error))?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Outcome<()> {
        self.destination.finish()
    }
}
