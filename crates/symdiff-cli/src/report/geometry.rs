//! How large molecules are and how long their bonds: counted once, drawn as histograms.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::collections::BTreeMap;
use symdiff_mol::chemistry::perceive_bonds;
use symdiff_mol::{Molecule, element};

/// Counts over a set of molecules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Geometry {
    /// Molecules by number of atoms.
    pub(crate) sizes: BTreeMap<usize, u64>,
    /// Bonds by kind (`C-H`) and bin: bin b holds lengths in [b, b + 1)·[`Self::BIN`].
    pub(crate) bonds: BTreeMap<String, BTreeMap<u32, u64>>,
}

impl Geometry {
    /// Width of a bin of bond lengths, in angstrom.
    pub(crate) const BIN: f64 = 0.02;

    /// Counts molecules. Bonds are those that the chemistry perceives from distances, whatever a file says.
    pub(crate) fn of<M: Borrow<Molecule>>(molecules: impl IntoIterator<Item = M>) -> Self {
        let mut geometry = Self::default();
        for molecule in molecules {
            geometry.count(molecule.borrow());
        }
        geometry
    }

    /// Adds the counts of another set.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (atoms, count) in &other.sizes {
            *self.sizes.entry(*atoms).or_default() += count;
        }
        for (kind, bins) in &other.bonds {
            let own = self.bonds.entry(kind.clone()).or_default();
            for (bin, count) in bins {
                *own.entry(*bin).or_default() += count;
            }
        }
    }

    /// Counts one more.
    pub(crate) fn count(&mut self, molecule: &Molecule) {
        *self.sizes.entry(molecule.len()).or_default() += 1;
        let (atomic_numbers, positions) = (molecule.atomic_numbers(), molecule.positions());
        for bond in perceive_bonds(atomic_numbers, positions) {
            let kind = kind(atomic_numbers[bond.first], atomic_numbers[bond.second]);
            let squared: f64 = positions[bond.first].iter().zip(&positions[bond.second]).map(|(a, b)| (a - b).powi(2)).sum();
            let bin = (squared.sqrt() / Self::BIN) as u32;
            *self.bonds.entry(kind).or_default().entry(bin).or_default() += 1;
        }
    }
}

/// Name of a bond between two elements: carbon first, then alphabetically, hydrogen last.
fn kind(a: u8, b: u8) -> String {
    let symbol = |z| element::symbol(z).unwrap_or("?");
    let rank = |symbol: &'static str| match symbol {
        "C" => (0, symbol),
        "H" => (2, symbol),
        _ => (1, symbol),
    };
    let (a, b) = (rank(symbol(a)), rank(symbol(b)));
    format!("{}-{}", a.min(b).1, a.max(b).1)
}
