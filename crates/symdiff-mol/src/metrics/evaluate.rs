//! The field's table row: stability, validity, uniqueness, novelty, connectivity.

use crate::chemistry::Verdict;
use serde::Serialize;

/// Counts over judged molecules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    molecules: usize,
    atoms: usize,
    stable_atoms: usize,
    stable_molecules: usize,
    connected: usize,
}

/// Rates of a set of molecules; `None` where they were not computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Molecules judged.
    pub molecules: usize,
    /// Their atoms.
    pub atoms: usize,
    /// Stable atoms of all molecules over atoms of all molecules.
    pub atom_stability: f64,
    /// Share of molecules whose atoms are all stable.
    pub molecule_stability: f64,
    /// Share that can be sanitised.
    pub validity: Option<f64>,
    /// Distinct SMILES over valid molecules.
    pub uniqueness: Option<f64>,
    /// Share of the distinct SMILES that the reference lacks.
    pub novelty: Option<f64>,
    /// Share of molecules in one piece.
    pub connected: f64,
}

impl Tally {
    /// Counts one molecule.
    pub fn observe(&mut self, verdict: &Verdict) {
        self.molecules += 1;
        self.atoms += verdict.atoms;
        self.stable_atoms += verdict.stable_atoms;
        self.stable_molecules += usize::from(verdict.mol_stable);
        self.connected += usize::from(verdict.n_fragments == 1);
    }

    /// Adds the counts of another part.
    pub fn merge(&mut self, other: &Self) {
        self.molecules += other.molecules;
        self.atoms += other.atoms;
        self.stable_atoms += other.stable_atoms;
        self.stable_molecules += other.stable_molecules;
        self.connected += other.connected;
    }

    /// The rates; `None` when nothing was counted.
    pub fn summary(&self) -> Option<Summary> {
        let share = |part: usize, whole: usize| part as f64 / whole as f64;
        (self.molecules > 0).then(|| Summary {
            molecules: self.molecules,
            atoms: self.atoms,
            atom_stability: share(self.stable_atoms, self.atoms),
            molecule_stability: share(self.stable_molecules, self.molecules),
            validity: None,
            uniqueness: None,
            novelty: None,
            connected: share(self.connected, self.molecules),
        })
    }
}
