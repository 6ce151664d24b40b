//! `evaluate --rows`: one line per molecule.

use super::super::target::{Got, asked};
use super::energies::Measured;
use crate::destination::Destination;
use crate::failure::{Failure, Outcome};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::Verdict;

/// A line: the verdict, the results of `xtb` with `--xtb`, and what was computed of properties that were asked for.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    verdict: &'a Verdict,
    #[serde(flatten)]
    measured: Option<Numbers>,
    /// `[asked, got]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    target: BTreeMap<&'a str, [Option<f64>; 2]>,
}

/// What `xtb` says of a molecule, null where it failed: energy in hartree, strain in kcal/mol.
#[derive(Serialize)]
struct Numbers {
    energy: Option<f64>,
    strain: Option<f64>,
}

/// The file of one line per molecule.
pub(super) struct Rows {
    pub(super) path: PathBuf,
    pub(super) destination: Destination,
}

impl Rows {
    /// One line per molecule, with energies under `--xtb`, and what was got of properties that were asked for, where anything computes them.
    pub(super) fn write_all(
        &mut self,
        molecules: &[Molecule],
        verdicts: &[Verdict],
        measured: Option<&[Measured]>,
        got: Option<&[Got]>,
    ) -> Outcome<()> {
        for (at, verdict) in verdicts.iter().enumerate() {
            let measured = measured.map(|measured| {
                let Measured { total, energy, .. } = &measured[at];
                Numbers { energy: *total, strain: energy.map(|energy| energy.strain) }
            });
            let of = |got: &Got| asked(&molecules[at]).map(|(name, value)| (name, [Some(value), got.get(name).copied()])).collect();
            let row = Row { verdict, measured, target: got.map(|got| of(&got[at])).unwrap_or_default() };
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
