//! Geometry checks in the manner of PoseBusters: is the molecule physically plausible, whatever its graph says?
//!
//! Bounds come from tables here, where PoseBusters takes them from RDKit's distance geometry; thresholds are its own. Only
//! heavy atoms are checked for clashes, as there.
//!
//! | check | passes if |
//! |---|---|
//! | `bond_lengths` | every bond is within 25 % of the typical length of its elements and order, or else of the sum of their covalent radii |
//! | `bond_angles` | the outer heavy atoms of every angle are as far apart as the angle's bounds allow, or beyond them by at most 25 % |
//! | `no_clash` | heavy atoms four or more bonds apart, or unconnected, keep 70 % of their bound |
//! | `flat_double_bonds` | the six atoms of each substituted C=C lie within 0.25 Å of a plane |
//! | `flat_rings` | the atoms of each aromatic ring do too |
//! | `one_piece` | the graph of bonds and contacts is connected |
//!
//! Bonds are those that the protocol judges: a file's own, or those that distances show. The bound is the sum of van der Waals radii, times 0.7 at
//! four bonds and 0.85 at five. Contacts are pairs within 1.3 times the sum of their covalent radii whose elements have no typical length
//! (B–C, Al–C, Se–C, …): distances show no bonds between them.
//!
//! # Source
//! Buttenschoen, Morris, Deane, Chemical Science 15, 3130 (2024).

mod angles;
mod lengths;
mod rings;

use super::geometry::{cross, distance, dot, minus, neighbours, norm};
use super::interval::Interval;
use crate::chemistry::{Protocol, fragments, typical_length};
use crate::error::Fault;
use crate::molecule::{Bond, BondOrder, Molecule};
use lengths::{reach, usual_length};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// Covalent radii apart at which two atoms without a typical length are in contact.
const CONTACT: f64 = 1.3;
/// Allowed relative deviation of a bond's length, and of the distance that an angle sets.
const BOND_TOLERANCE: f64 = 0.25;
/// Share of the bound that non-bonded atoms must keep.
const CLASH_SHARE: f64 = 0.7;
/// Allowed distance from the plane of a double bond in angstrom.
const FLATNESS: f64 = 0.25;
/// Bonds at and beyond which atoms are apart, for clashes.
const APART: usize = 6;

/// Which checks a molecule passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "a row of independent verdicts")]
pub struct Checks {
    /// No bond is much shorter or longer than is typical.
    pub bond_lengths: bool,
    /// No angle between heavy atoms is much smaller or larger than is usual.
    pub bond_angles: bool,
    /// No two distant heavy atoms overlap.
    pub no_clash: bool,
    /// Double bonds are planar.
    pub flat_double_bonds: bool,
    /// Aromatic rings are planar.
    pub flat_rings: bool,
    /// There is one fragment.
    pub one_piece: bool,
}

impl Checks {
    /// Checks molecules along the bonds that the protocol judges, on all threads.
    ///
    /// # Errors
    /// Those of [`Protocol::bonds`].
    pub fn of_all(molecules: &[Molecule], protocol: Protocol) -> Result<Vec<Self>, Fault> {
        molecules.par_iter().map(|molecule| Ok(Self::of(molecule, &protocol.bonds(molecule)?))).collect()
    }

    /// Checks a molecule along these bonds.
    pub fn of(molecule: &Molecule, bonds: &[Bond]) -> Self {
        let lists = neighbours(molecule.len(), bonds);
        Self {
            bond_lengths: bonds.iter().all(|bond| typical(molecule, *bond)),
            bond_angles: angles::usual_angles(molecule, bonds, &lists, BOND_TOLERANCE),
            no_clash: !clashes(molecule, &lists),
            flat_double_bonds: bonds.iter().all(|bond| flat(molecule, &lists, *bond)),
            flat_rings: rings::aromatic(molecule.atomic_numbers(), &lists)
                .iter()
                .all(|ring| rings::flat(ring, molecule.positions(), FLATNESS)),
            one_piece: connected(molecule, bonds),
        }
    }

    /// Whether it passes all of them.
    pub fn all(self) -> bool {
        let [.., all] = self.verdicts();
        all
    }

    /// Whether it passes each of [`CHECKS`].
    pub fn verdicts(self) -> [bool; CHECKS.len()] {
        let Self { bond_lengths, bond_angles, no_clash, flat_double_bonds, flat_rings, one_piece } = self;
        let each = [bond_lengths, bond_angles, no_clash, flat_double_bonds, flat_rings, one_piece];
        let [a, b, c, d, e, f] = each;
        [a, b, c, d, e, f, each.iter().all(|passed| *passed)]
    }
}

/// The names of the checks; the last is that of all of them together.
pub const CHECKS: [&str; 7] = ["bond_lengths", "bond_angles", "no_clash", "flat_double_bonds", "flat_rings", "one_piece", "all"];

/// Counts of molecules that pass each check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckTally {
    molecules: usize,
    passed: [usize; CHECKS.len()],
}

/// Shares of molecules that pass each check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckRates {
    /// Typical bond lengths.
    pub bond_lengths: f64,
    /// Usual bond angles.
    pub bond_angles: f64,
    /// No overlaps.
    pub no_clash: f64,
    /// Flat double bonds.
    pub flat_double_bonds: f64,
    /// Flat aromatic rings.
    pub flat_rings: f64,
    /// One fragment.
    pub one_piece: f64,
    /// All of them.
    pub all: f64,
}

impl CheckTally {
    /// Checks molecules along the bonds that the protocol judges, on all threads.
    ///
    /// # Errors
    /// Those of [`Protocol::bonds`].
    pub fn observe(&mut self, molecules: &[Molecule], protocol: Protocol) -> Result<(), Fault> {
        Checks::of_all(molecules, protocol)?.into_iter().for_each(|checks| self.count(checks));
        Ok(())
    }

    /// Counts a molecule.
    pub fn count(&mut self, checks: Checks) {
        self.molecules += 1;
        self.passed.iter_mut().zip(checks.verdicts()).for_each(|(count, passed)| *count += usize::from(passed));
    }

    /// The shares; `None` when nothing was counted.
    pub fn rates(&self) -> Option<CheckRates> {
        let [bond_lengths, bond_angles, no_clash, flat_double_bonds, flat_rings, one_piece, all] =
            self.passed.map(|count| count as f64 / self.molecules as f64);
        let rates = CheckRates { bond_lengths, bond_angles, no_clash, flat_double_bonds, flat_rings, one_piece, all };
        (self.molecules > 0).then_some(rates)
    }

    /// The shares with their intervals, by name; none when nothing was counted.
    pub fn intervals(&self) -> BTreeMap<&'static str, Interval> {
        let each = CHECKS.into_iter().zip(self.passed);
        each.filter_map(|(name, count)| Some((name, Interval::of_share(count, self.molecules)?))).collect()
    }
}

/// Of elements without a covalent radius a bond of any length passes.
fn typical(molecule: &Molecule, bond: Bond) -> bool {
    let (z, x) = (molecule.atomic_numbers(), molecule.positions());
    let (a, b) = (z[bond.first], z[bond.second]);
    usual_length(a, b, bond.order).is_none_or(|length| {
        let ratio = distance(x[bond.first], x[bond.second]) / length;
        (ratio - 1.0).abs() <= BOND_TOLERANCE
    })
}

/// Whether bonds, and contacts where elements have no typical length, join all atoms.
fn connected(molecule: &Molecule, bonds: &[Bond]) -> bool {
    let (count, labels) = fragments(molecule.len(), bonds);
    if count == 1 {
        return true;
    }
    let (z, x) = (molecule.atomic_numbers(), molecule.positions());
    let touching = |(a, b): (usize, usize)| {
        let unknown = labels[a] != labels[b] && typical_length(z[a], z[b], BondOrder::Single).is_none();
        unknown && reach(z[a], z[b]).is_some_and(|length| distance(x[a], x[b]) < CONTACT * length)
    };
    let pairs = (0..molecule.len()).flat_map(|a| (a + 1..molecule.len()).map(move |b| (a, b)));
    let contacts = pairs.filter(|pair| touching(*pair)).map(|(first, second)| Bond { first, second, order: BondOrder::Single });
    let joined: Vec<Bond> = bonds.iter().copied().chain(contacts).collect();
    fragments(molecule.len(), &joined).0 == 1
}

fn clashes(molecule: &Molecule, lists: &[Vec<usize>]) -> bool {
    let (z, x) = (molecule.atomic_numbers(), molecule.positions());
    (0..molecule.len()).filter(|a| z[*a] != 1).any(|a| {
        let apart = bonds_apart(lists, a);
        (a + 1..molecule.len()).filter(|b| z[*b] != 1).any(|b| {
            let scale = match apart[b] {
                0..=3 => return false,
                4 => 0.7,
                5 => 0.85,
                _ => 1.0,
            };
            let bound = scale * (van_der_waals(z[a]) + van_der_waals(z[b]));
            distance(x[a], x[b]) < CLASH_SHARE * bound
        })
    })
}

/// Bonds between an atom and every other, counted to [`APART`].
fn bonds_apart(lists: &[Vec<usize>], from: usize) -> Vec<usize> {
    let mut apart = vec![APART; lists.len()];
    let mut queue = VecDeque::from([from]);
    apart[from] = 0;
    while let Some(atom) = queue.pop_front() {
        let step = apart[atom] + 1;
        for &next in &lists[atom] {
            if step < apart[next] {
                apart[next] = step;
                queue.push_back(next);
            }
        }
    }
    apart
}

/// Whether a C=C with two substituents at each end is planar; any other bond is.
fn flat(molecule: &Molecule, lists: &[Vec<usize>], bond: Bond) -> bool {
    let (z, x) = (molecule.atomic_numbers(), molecule.positions());
    let ends = [bond.first, bond.second];
    let carbons = ends.iter().all(|end| z[*end] == 6 && lists[*end].len() == 3);
    if bond.order != BondOrder::Double || !carbons {
        return true;
    }
    let six: Vec<_> = ends.iter().flat_map(|end| &lists[*end]).map(|atom| x[*atom]).collect();
    let centre = [0, 1, 2].map(|axis| six.iter().map(|point| point[axis]).sum::<f64>() / six.len() as f64);
    let substituents: Vec<_> =
        ends.iter().flat_map(|end| lists[*end].iter().filter(|atom| !ends.contains(atom)).map(|atom| x[*atom])).collect();
    let &[a, b, c, d] = substituents.as_slice() else {
        return true;
    };
    // The plane's normal is that of the two diagonals; the other pairing gives the sides, which may be parallel.
    let normals = [cross(minus(a, c), minus(b, d)), cross(minus(a, d), minus(b, c))];
    let normal = if norm(normals[0]) > norm(normals[1]) { normals[0] } else { normals[1] };
    six.iter().all(|point| dot(minus(*point, centre), normal).abs() <= FLATNESS * norm(normal))
}

/// Van der Waals radii in angstrom.
///
/// # Source
/// Bondi, J. Phys. Chem. 68, 441 (1964); Mantina et al., J. Phys. Chem. A 113, 5806 (2009).
fn van_der_waals(atomic_number: u8) -> f64 {
    match atomic_number {
        1 => 1.20,
        5 => 1.92,
        7 | 80 => 1.55,
        8 => 1.52,
        9 => 1.47,
        13 => 1.84,
        14 => 2.10,
        15 | 16 => 1.80,
        17 => 1.75,
        33 | 35 => 1.85,
        53 => 1.98,
        83 => 2.07,
        _ => 1.70,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chemistry::perceive_bonds;

    fn checks(atomic_numbers: &[u8], positions: &[[f64; 3]]) -> Checks {
        let bonds = perceive_bonds(atomic_numbers, positions);
        let molecule = Molecule::new("m", atomic_numbers.to_vec(), positions.to_vec()).unwrap();
        Checks::of(&molecule, &bonds)
    }

    /// Ethene with the hydrogens of one end turned about the axis.
    fn ethene(degrees: f64) -> Checks {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let (along, out) = (0.56, 0.93);
        let turned = [out, -out].map(|out| [-along, out * cosine, out * sine]);
        let fixed = [out, -out].map(|out| [1.33 + along, out, 0.0]);
        checks(&[6, 6, 1, 1, 1, 1], &[[0.0; 3], [1.33, 0.0, 0.0], turned[0], turned[1], fixed[0], fixed[1]])
    }

    #[test]
    fn double_bonds_must_be_flat() {
        for (degrees, flat) in [(0.0, true), (10.0, true), (60.0, false), (90.0, false)] {
            assert_eq!(ethene(degrees).flat_double_bonds, flat, "{degrees}");
            assert!(ethene(degrees).one_piece);
        }
    }

    #[test]
    fn short_bonds_and_overlaps_are_found() {
        assert!(checks(&[6, 6], &[[0.0; 3], [1.54, 0.0, 0.0]]).all());
        assert!(!checks(&[6, 6], &[[0.0; 3], [0.8, 0.0, 0.0]]).bond_lengths);
        assert!(checks(&[6, 6], &[[0.0; 3], [2.5, 0.0, 0.0]]).no_clash);
        let near = checks(&[6, 6], &[[0.0; 3], [2.3, 0.0, 0.0]]);
        assert!(!near.no_clash && !near.one_piece);
        // Hydrogens are not looked at.
        assert!(checks(&[1, 1], &[[0.0; 3], [1.0, 0.0, 0.0]]).no_clash);
    }

    #[test]
    fn elements_without_typical_lengths_are_joined_by_their_radii() {
        for (z, apart, joined) in [(5, 1.60, true), (13, 1.97, true), (34, 1.95, true), (5, 2.20, false), (6, 2.20, false)] {
            let molecule = checks(&[6, z], &[[0.0; 3], [apart, 0.0, 0.0]]);
            assert_eq!(molecule.one_piece, joined, "C and {z} at {apart}");
        }
        let bond = |length: f64| {
            let molecule = Molecule::new("m", vec![6, 5], vec![[0.0; 3], [length, 0.0, 0.0]]).unwrap();
            Checks::of(&molecule, &[Bond { first: 0, second: 1, order: BondOrder::Single }]).bond_lengths
        };
        assert!(bond(1.6) && !bond(1.1) && !bond(2.1));
    }

    #[test]
    fn bonds_are_those_of_the_protocol() {
        let stretched = Molecule::new("m", vec![6, 6], vec![[0.0; 3], [2.13, 0.0, 0.0]]).unwrap();
        let bonded = stretched.with_bonds([Bond { first: 0, second: 1, order: BondOrder::Single }]).unwrap();
        let rates = |protocol| {
            let mut tally = CheckTally::default();
            tally.observe(std::slice::from_ref(&bonded), protocol).unwrap();
            tally.rates().unwrap()
        };
        assert_eq!((rates(Protocol::GeomRevisited).bond_lengths, rates(Protocol::GeomRevisited).one_piece), (0.0, 1.0));
        assert_eq!((rates(Protocol::EdmGeom).bond_lengths, rates(Protocol::EdmGeom).one_piece), (1.0, 0.0));
        let bare = Molecule::new("m", vec![6], vec![[0.0; 3]]).unwrap();
        assert!(CheckTally::default().observe(&[bare], Protocol::GeomRevisited).is_err());
    }

    #[test]
    fn real_molecules_pass() {
        let molecules: Vec<_> = crate::data::embedded().molecules().skip(4000).take(2000).collect();
        let mut tally = CheckTally::default();
        tally.observe(&molecules, Protocol::EdmQm9).unwrap();
        let rates = tally.rates().unwrap();
        // Some of the strained rings of this set have bent double bonds.
        assert!(rates.all > 0.93 && rates.bond_lengths > 0.99 && rates.bond_angles > 0.99 && rates.no_clash > 0.99, "{rates:?}");
    }
}
