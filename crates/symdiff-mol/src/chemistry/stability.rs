//! Stability: whether the bonds of an atom are a valence that its element allows.

use super::tables;
use crate::molecule::{Bond, BondOrder};

/// Atoms whose bond orders sum to one of their element's allowed valences, charges aside (EDM).
///
/// S is allowed only 4, so that thiols and sulphones are unstable, and a lone H has valence 0: the table is part of the
/// protocol.
pub(super) fn edm(atomic_numbers: &[u8], bonds: &[Bond]) -> usize {
    let valences = valences(atomic_numbers.len(), bonds);
    atomic_numbers.iter().zip(&valences).filter(|(z, valence)| tables::allowed_valences(**z).contains(&valence.others)).count()
}

/// Atoms whose pair of aromatic bonds and sum of the other orders is listed for their element and charge.
pub(super) fn revisited(atomic_numbers: &[u8], charges: &[i8], bonds: &[Bond]) -> usize {
    let valences = valences(atomic_numbers.len(), bonds);
    atomic_numbers
        .iter()
        .zip(charges)
        .zip(&valences)
        .filter(|((z, charge), valence)| tables::allowed_tuples(**z, **charge).contains(&(valence.aromatic, valence.others)))
        .count()
}

#[derive(Clone, Copy, Default)]
struct Valence {
    aromatic: u8,
    others: u8,
}

fn valences(atoms: usize, bonds: &[Bond]) -> Vec<Valence> {
    let mut valences = vec![Valence::default(); atoms];
    for bond in bonds {
        for atom in [bond.first, bond.second] {
            let valence = &mut valences[atom];
            let (sum, add) = match bond.order {
                BondOrder::Aromatic => (&mut valence.aromatic, 1),
                BondOrder::Single => (&mut valence.others, 1),
                BondOrder::Double => (&mut valence.others, 2),
                BondOrder::Triple => (&mut valence.others, 3),
            };
            *sum = sum.saturating_add(add);
        }
    }
    valences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bonds(list: &[(usize, usize, BondOrder)]) -> Vec<Bond> {
        let bond = |&(first, second, order)| Bond { first, second, order };
        list.iter().map(bond).collect()
    }

    #[test]
    fn charges_matter_to_the_revisited_table_alone() {
        let four: Vec<_> = (1..5).map(|h| (0, h, BondOrder::Single)).collect();
        let ammonium = [7, 1, 1, 1, 1];
        assert_eq!(edm(&ammonium, &bonds(&four)), 4);
        assert_eq!(revisited(&ammonium, &[0; 5], &bonds(&four)), 4);
        assert_eq!(revisited(&ammonium, &[1, 0, 0, 0, 0], &bonds(&four)), 5);
    }

    #[test]
    fn aromatic_bonds_are_counted_apart() {
        use BondOrder::{Aromatic, Single};
        let carbon = bonds(&[(0, 1, Aromatic), (0, 2, Aromatic), (0, 3, Single)]);
        // The ring carbon and H are listed; the two neighbours have one aromatic bond only.
        assert_eq!(revisited(&[6, 6, 6, 1], &[0; 4], &carbon), 2);
    }
}
