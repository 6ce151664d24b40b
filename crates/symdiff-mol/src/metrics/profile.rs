//! What is counted about molecules to compare distributions: six kinds of features, binned.

use super::geometry::{angle, distance, neighbours, torsion};
use crate::chemistry::perceive_bonds;
use crate::data::Vocabulary;
use crate::molecule::Molecule;
use rayon::prelude::*;

/// A kind of feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Elements of atoms.
    AtomTypes,
    /// Atoms of molecules.
    Sizes,
    /// Element pairs and orders of bonds.
    BondTypes,
    /// Angstrom.
    BondLengths,
    /// Degrees, between bonds that share an atom.
    Angles,
    /// Degrees in [0, 180], about bonds.
    Torsions,
}

/// How the values of a kind lie in bins.
pub(crate) struct Bins {
    /// Number of bins.
    pub(crate) count: usize,
    /// Width of a bin; `None` of categories without order.
    pub(crate) width: Option<f64>,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [Self::AtomTypes, Self::Sizes, Self::BondTypes, Self::BondLengths, Self::Angles, Self::Torsions];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::AtomTypes => "atom_types",
            Self::Sizes => "sizes",
            Self::BondTypes => "bond_types",
            Self::BondLengths => "bond_lengths",
            Self::Angles => "angles",
            Self::Torsions => "torsions",
        }
    }

    /// The unit of a distance between two sets.
    pub fn unit(self) -> &'static str {
        match self {
            Self::AtomTypes | Self::BondTypes => "bit",
            Self::Sizes => "atom",
            Self::BondLengths => "angstrom",
            Self::Angles | Self::Torsions => "degree",
        }
    }

    pub(crate) fn bins(self) -> Bins {
        let (count, width) = match self {
            Self::AtomTypes => (119, None),
            Self::Sizes => (1024, Some(1.0)),
            Self::BondTypes => (ELEMENTS * ELEMENTS * 4, None),
            Self::BondLengths => (1400, Some(0.002)),
            Self::Angles | Self::Torsions => (360, Some(0.5)),
        };
        Bins { count, width }
    }

    /// The bin of a value; the last one takes what lies beyond.
    fn bin(self, value: f64) -> u16 {
        let Bins { count, width } = self.bins();
        (value / width.unwrap_or(1.0)).clamp(0.0, (count - 1) as f64) as u16
    }
}

/// Elements that bond types tell apart: GEOM's sixteen, and all others as one.
const ELEMENTS: usize = 17;

/// Binned features of many molecules, molecule by molecule, so that molecules can be drawn anew.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    columns: [Column; 6],
}

#[derive(Debug, Clone, Default)]
struct Column {
    bins: Vec<u16>,
    /// End of each molecule's bins.
    ends: Vec<usize>,
}

impl Profile {
    /// Adds molecules, in order, on all threads.
    pub fn observe(&mut self, molecules: &[Molecule]) {
        let features: Vec<_> = molecules.par_iter().map(features).collect();
        for molecule in features {
            for (column, bins) in self.columns.iter_mut().zip(molecule) {
                column.bins.extend(bins);
                column.ends.push(column.bins.len());
            }
        }
    }

    /// Number of molecules.
    pub fn molecules(&self) -> usize {
        self.columns[0].ends.len()
    }

    /// Counts of a kind's bins, each molecule taken as often as `weights` says.
    pub(crate) fn counts(&self, kind: Kind, weights: impl Fn(usize) -> u32) -> Vec<u64> {
        let column = &self.columns[kind as usize];
        let mut counts = vec![0; kind.bins().count];
        let mut start = 0;
        for (molecule, &end) in column.ends.iter().enumerate() {
            let weight = u64::from(weights(molecule));
            for bin in &column.bins[start..end] {
                counts[usize::from(*bin)] += weight;
            }
            start = end;
        }
        counts
    }
}

fn features(molecule: &Molecule) -> [Vec<u16>; 6] {
    let (z, x) = (molecule.atomic_numbers(), molecule.positions());
    let bonds = perceive_bonds(z, x);
    let lists = neighbours(molecule.len(), &bonds);
    let bond_type = |bond: &crate::molecule::Bond| {
        let (a, b) = (element_row(z[bond.first]), element_row(z[bond.second]));
        (((a.min(b) * ELEMENTS) + a.max(b)) * 4 + usize::from(bond.order.pairs().unwrap_or(0))) as u16
    };
    let mut angles = Vec::new();
    for (centre, list) in lists.iter().enumerate() {
        for (at, first) in list.iter().enumerate() {
            let others = list[at + 1..].iter().filter_map(|second| angle(x[*first], x[centre], x[*second]));
            angles.extend(others.map(|degrees| Kind::Angles.bin(degrees)));
        }
    }
    let mut torsions = Vec::new();
    for bond in &bonds {
        for a in lists[bond.first].iter().filter(|a| **a != bond.second) {
            let ends = lists[bond.second].iter().filter(|d| **d != bond.first && *d != a);
            let found = ends.filter_map(|d| torsion(x[*a], x[bond.first], x[bond.second], x[*d]));
            torsions.extend(found.map(|degrees| Kind::Torsions.bin(degrees)));
        }
    }
    [
        z.iter().map(|z| u16::from(*z)).collect(),
        vec![Kind::Sizes.bin(molecule.len() as f64)],
        bonds.iter().map(bond_type).collect(),
        bonds.iter().map(|bond| Kind::BondLengths.bin(distance(x[bond.first], x[bond.second]))).collect(),
        angles,
        torsions,
    ]
}

fn element_row(atomic_number: u8) -> usize {
    Vocabulary::geom().place(atomic_number).unwrap_or(ELEMENTS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_of_methane_are_counted() {
        let t = 0.629;
        let x = vec![[0.0; 3], [t, t, t], [t, -t, -t], [-t, t, -t], [-t, -t, t]];
        let methane = Molecule::new("methane", vec![6, 1, 1, 1, 1], x).unwrap();
        let mut profile = Profile::default();
        profile.observe(&[methane.clone(), methane]);
        let counts = |kind: Kind| -> Vec<(usize, u64)> {
            profile.counts(kind, |_| 1).into_iter().enumerate().filter(|(_, count)| *count > 0).collect()
        };
        assert_eq!(counts(Kind::AtomTypes), [(1, 8), (6, 2)]);
        assert_eq!(counts(Kind::Sizes), [(5, 2)]);
        assert_eq!(counts(Kind::BondLengths), [(544, 8)]);
        assert_eq!(counts(Kind::Angles), [(218, 12)]);
        assert_eq!(counts(Kind::Torsions), []);
        assert_eq!(profile.counts(Kind::Sizes, |molecule| molecule as u32 * 3)[5], 3);
    }
}
