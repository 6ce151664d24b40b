//! `evaluate --kept`: whether molecules hold the atoms that were to be kept, where they were.

use super::super::asking::one;
use crate::failure::Outcome;
use serde_json::{Value, json};
use std::path::PathBuf;
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::Verdict;

/// The first atoms of every molecule, as they should be, and what was found.
pub(super) struct KeptPart {
    numbers: Vec<u8>,
    positions: Vec<[f64; 3]>,
    molecules: usize,
    /// Molecules that begin with the part's elements; the others are not compared further.
    complete: usize,
    /// Of those, in square angstrom: the sum over atoms of squared distances from where they should be, and the largest one.
    squares: f64,
    largest: f64,
    connected: usize,
    valid: usize,
}

impl KeptPart {
    /// The atoms of the one molecule of each file, one file after the other.
    ///
    /// # Errors
    /// A file that holds no molecule, or several.
    pub(super) fn read(files: &[PathBuf]) -> Outcome<Self> {
        let parts = files.iter().map(|file| one(file)).collect::<Outcome<Vec<_>>>()?;
        let numbers = parts.iter().flat_map(Molecule::atomic_numbers).copied().collect();
        let positions = parts.iter().flat_map(Molecule::positions).copied().collect();
        Ok(Self { numbers, positions, molecules: 0, complete: 0, squares: 0.0, largest: 0.0, connected: 0, valid: 0 })
    }

    /// Compares more molecules, without moving them.
    pub(super) fn observe(&mut self, molecules: &[Molecule], verdicts: &[Verdict]) {
        for (molecule, verdict) in molecules.iter().zip(verdicts) {
            self.molecules += 1;
            self.connected += usize::from(verdict.n_fragments == 1);
            self.valid += usize::from(verdict.valid);
            if !molecule.atomic_numbers().starts_with(&self.numbers) {
                continue;
            }
            self.complete += 1;
            for (found, wanted) in molecule.positions().iter().zip(&self.positions) {
                let square = found.iter().zip(wanted).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
                self.squares += square;
                self.largest = self.largest.max(square);
            }
        }
    }

    /// Distances in angstrom over the molecules that have the part, null where none has; shares of all.
    pub(super) fn summary(&self) -> Value {
        let atoms = (self.complete * self.numbers.len()) as f64;
        let distance = |square: f64| (atoms > 0.0).then(|| square.sqrt());
        let share = |count: usize| count as f64 / self.molecules.max(1) as f64;
        json!({
            "molecules": self.molecules,
            "complete": share(self.complete),
            "rmsd": distance(self.squares / atoms.max(1.0)),
            "largest": distance(self.largest),
            "connected": share(self.connected),
            "valid": share(self.valid),
        })
    }
}
