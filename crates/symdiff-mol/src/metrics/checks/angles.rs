//! Bond angles by the distances that they set: between the two outer atoms of each angle, as in distance geometry.
//!
//! The law of cosines over the typical lengths of both bonds turns an interval of angles into one of distances, d² = a² + b² − 2ab·cos θ. The angles:
//!
//! | centre | degrees |
//! |---|---|
//! | both bonds in a ring of four | 75 to 100 |
//! | … of five | 95 to 115 |
//! | two neighbours; carbon or nitrogen with a triple or two double bonds | 180 |
//! | two neighbours, else | 95 to 125 |
//! | three neighbours | 95 to 125; to 155 outside a ring of three or four that holds the centre |
//! | four neighbours | 95 to 125; the same |
//! | five and more | 75 to 180 |
//!
//! Outer atoms that are bonded to each other, as all are in rings of three, make no angle.

use super::lengths::usual_length;
use super::rings;
use crate::metrics::geometry::distance;
use crate::molecule::{Bond, BondOrder, Molecule};

/// Whether the outer atoms of all angles between heavy atoms are as far apart as their angles allow, with this relative tolerance.
pub(super) fn usual_angles(molecule: &Molecule, bonds: &[Bond], lists: &[Vec<usize>], tolerance: f64) -> bool {
    let (z, x) = (molecule.atomic_numbers(), molecule.positions());
    let length = |a: usize, b: usize| {
        let bond = bonds.iter().find(|bond| (bond.first, bond.second) == (a.min(b), a.max(b)))?;
        usual_length(z[a], z[b], bond.order)
    };
    (0..molecule.len()).filter(|centre| z[*centre] != 1).all(|centre| {
        let heavy: Vec<usize> = lists[centre].iter().copied().filter(|atom| z[*atom] != 1).collect();
        let pairs = heavy.iter().enumerate().flat_map(|(at, a)| heavy[at + 1..].iter().map(move |b| (*a, *b)));
        pairs.filter(|(a, b)| !lists[*a].contains(b)).all(|(a, b)| {
            let Some((left, right)) = length(centre, a).zip(length(centre, b)) else { return true };
            let found = distance(x[a], x[b]);
            let bound = |degrees: f64| (left * left + right * right - 2.0 * left * right * degrees.to_radians().cos()).sqrt();
            let [low, high] = interval(z[centre], centre, [a, b], bonds, lists).map(bound);
            ((1.0 - tolerance) * low..=(1.0 + tolerance) * high).contains(&found)
        })
    })
}

/// The angles in degrees between two bonds of an atom.
fn interval(z: u8, centre: usize, ends: [usize; 2], bonds: &[Bond], lists: &[Vec<usize>]) -> [f64; 2] {
    match (rings::around(lists, centre, ends), lists[centre].len()) {
        (Some(4), _) => [75.0, 100.0],
        (Some(5), _) => [95.0, 115.0],
        (_, 2) if matches!(z, 6 | 7) && straight(centre, bonds) => [180.0, 180.0],
        (_, 3 | 4) if rings::in_small(lists, centre) => [95.0, 155.0],
        (_, 0..=4) => [95.0, 125.0],
        _ => [75.0, 180.0],
    }
}

/// Whether an atom has a triple bond or two double ones.
fn straight(atom: usize, bonds: &[Bond]) -> bool {
    let own = bonds.iter().filter(|bond| bond.first == atom || bond.second == atom);
    let beyond_single: u8 =
        own.filter(|bond| bond.order != BondOrder::Aromatic).filter_map(|bond| bond.order.pairs()).map(|pairs| pairs - 1).sum();
    beyond_single >= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chemistry::perceive_bonds;
    use crate::metrics::geometry::neighbours;

    fn passes(atomic_numbers: &[u8], positions: &[[f64; 3]]) -> bool {
        let bonds = perceive_bonds(atomic_numbers, positions);
        let molecule = Molecule::new("m", atomic_numbers.to_vec(), positions.to_vec()).unwrap();
        usual_angles(&molecule, &bonds, &neighbours(molecule.len(), &bonds), 0.25)
    }

    /// Two bonds of these lengths at an angle.
    fn bent(atomic_numbers: [u8; 3], lengths: [f64; 2], degrees: f64) -> bool {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        passes(&atomic_numbers, &[[lengths[0], 0.0, 0.0], [0.0; 3], [lengths[1] * cosine, lengths[1] * sine, 0.0]])
    }

    #[test]
    fn chains_may_be_bent_but_not_folded() {
        // 0.75 of the distance at 95 degrees is that at 67.
        for (degrees, passed) in [(60.0, true), (65.5, false), (68.0, true), (109.5, true), (120.0, true), (180.0, true)] {
            assert_eq!(bent([6, 6, 6], [1.54, 1.54], degrees), passed, "{degrees}");
        }
        // Carbon dioxide is straight: with bonds of 1.18 Å, 0.75 of the distance that typical bonds set is that at 99 degrees.
        for (degrees, passed) in [(96.0, false), (103.0, true), (180.0, true)] {
            assert_eq!(bent([8, 6, 8], [1.18, 1.18], degrees), passed, "{degrees}");
        }
        // Hydrogens are not looked at.
        assert!(bent([1, 8, 1], [0.96, 0.96], 40.0));
    }

    /// Cyclobutane's carbons as a square, and drawn out into a rhombus whose short diagonal is a bond.
    #[test]
    fn rings_of_four_have_their_own_angles() {
        let rhombus = |degrees: f64| {
            let (sine, cosine) = (0.5 * degrees).to_radians().sin_cos();
            let (a, b) = (1.54 * sine, 1.54 * cosine);
            passes(&[6; 4], &[[a, 0.0, 0.0], [0.0, b, 0.0], [-a, 0.0, 0.0], [0.0, -b, 0.0]])
        };
        // 1.25 of the distance at 100 degrees is the long diagonal at 33.
        for (degrees, passed) in [(90.0, true), (40.0, true), (30.0, false)] {
            assert_eq!(rhombus(degrees), passed, "{degrees}");
        }
    }
}
