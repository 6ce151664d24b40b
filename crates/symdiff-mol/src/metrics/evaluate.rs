//! The field's table row: stability, validity, uniqueness, novelty, connectivity.

use crate::chemistry::Verdict;
use serde::Serialize;
use std::collections::HashSet;

/// Counts over judged molecules. Merging is associative and commutative, so threads may share the work in any way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    molecules: usize,
    atoms: usize,
    stable_atoms: usize,
    stable_molecules: usize,
    valid_molecules: usize,
    connected: usize,
    smiles: HashSet<String>,
}

/// Counts and rates of a set of molecules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Molecules judged.
    pub molecules: usize,
    /// Their atoms.
    pub atoms: usize,
    /// Atoms with an allowed valence.
    pub stable_atoms: usize,
    /// Molecules of stable atoms alone.
    pub stable_molecules: usize,
    /// Molecules that can be sanitised.
    pub valid_molecules: usize,
    /// Distinct SMILES of the valid ones.
    pub unique_smiles: usize,
    /// Distinct SMILES that the reference lacks; `None` without a reference.
    pub novel_smiles: Option<usize>,
    /// Molecules in one piece.
    pub connected_molecules: usize,
    /// Stable atoms of all molecules over atoms of all molecules, not a mean of ratios.
    pub atom_stability: f64,
    /// Share of stable molecules.
    pub molecule_stability: f64,
    /// Share of valid molecules.
    pub validity: f64,
    /// Distinct SMILES over valid molecules; 0 where none is valid.
    pub uniqueness: f64,
    /// Novel over distinct SMILES; 0 where there is none, `None` without a reference.
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
        self.valid_molecules += usize::from(verdict.valid);
        self.connected += usize::from(verdict.n_fragments == 1);
        if let Some(smiles) = verdict.smiles.as_ref().filter(|smiles| !self.smiles.contains(*smiles)) {
            self.smiles.insert(smiles.clone());
        }
    }

    /// Adds the counts of another part.
    pub fn merge(&mut self, other: Self) {
        self.molecules += other.molecules;
        self.atoms += other.atoms;
        self.stable_atoms += other.stable_atoms;
        self.stable_molecules += other.stable_molecules;
        self.valid_molecules += other.valid_molecules;
        self.connected += other.connected;
        self.smiles.extend(other.smiles);
    }

    /// The distinct SMILES, as a reference for the novelty of another set.
    pub fn into_smiles(self) -> HashSet<String> {
        self.smiles
    }

    /// The rates, novelty against the SMILES of a reference; `None` when nothing was counted.
    pub fn summary(&self, reference: Option<&HashSet<String>>) -> Option<Summary> {
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        let novel = reference.map(|reference| self.smiles.difference(reference).count());
        (self.molecules > 0).then(|| Summary {
            molecules: self.molecules,
            atoms: self.atoms,
            stable_atoms: self.stable_atoms,
            stable_molecules: self.stable_molecules,
            valid_molecules: self.valid_molecules,
            unique_smiles: self.smiles.len(),
            novel_smiles: novel,
            connected_molecules: self.connected,
            atom_stability: share(self.stable_atoms, self.atoms),
            molecule_stability: share(self.stable_molecules, self.molecules),
            validity: share(self.valid_molecules, self.molecules),
            uniqueness: share(self.smiles.len(), self.valid_molecules),
            novelty: novel.map(|novel| share(novel, self.smiles.len())),
            connected: share(self.connected, self.molecules),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(stable_atoms: usize, smiles: Option<&str>, n_fragments: usize) -> Verdict {
        Verdict {
            id: String::new(),
            atoms: 4,
            stable_atoms,
            mol_stable: stable_atoms == 4,
            valid: smiles.is_some(),
            smiles: smiles.map(str::to_owned),
            n_fragments,
        }
    }

    #[test]
    fn rates_are_ratios_of_counts_and_parts_merge() {
        let verdicts = [verdict(4, Some("A"), 1), verdict(1, Some("A"), 2), verdict(4, Some("B"), 1), verdict(0, None, 3)];
        let mut whole = Tally::default();
        let (mut left, mut right) = (Tally::default(), Tally::default());
        for (at, verdict) in verdicts.iter().enumerate() {
            whole.observe(verdict);
            if at == 0 { &mut left } else { &mut right }.observe(verdict);
        }
        right.merge(left);
        assert_eq!(whole, right);
        let reference = HashSet::from(["B".to_owned()]);
        let summary = whole.summary(Some(&reference)).unwrap();
        assert_eq!((summary.atoms, summary.stable_atoms), (16, 9));
        assert_eq!((summary.validity, summary.connected), (0.75, 0.5));
        assert_eq!((summary.uniqueness, summary.novelty), (2.0 / 3.0, Some(0.5)));
        assert_eq!(whole.summary(None).unwrap().novelty, None);
        assert_eq!(Tally::default().summary(None), None);
    }
}
