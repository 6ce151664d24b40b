//! Fragments: connected components of the bond graph.

use crate::molecule::Bond;

/// Number of fragments, and each atom's fragment; fragments are numbered by their lowest atom. A lone atom is one.
pub fn fragments(atoms: usize, bonds: &[Bond]) -> (usize, Vec<usize>) {
    let mut parent: Vec<usize> = (0..atoms).collect();
    for bond in bonds {
        let (a, b) = (root(&mut parent, bond.first), root(&mut parent, bond.second));
        parent[a.max(b)] = a.min(b);
    }
    let mut count = 0;
    let mut labels = vec![0; atoms];
    for atom in 0..atoms {
        // A root is the lowest atom of its fragment, so it is labelled before the others.
        let lowest = root(&mut parent, atom);
        labels[atom] = if lowest == atom {
            count += 1;
            count - 1
        } else {
            labels[lowest]
        };
    }
    (count, labels)
}

fn root(parent: &mut [usize], mut atom: usize) -> usize {
    while parent[atom] != atom {
        parent[atom] = parent[parent[atom]];
        atom = parent[atom];
    }
    atom
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::molecule::BondOrder;

    #[test]
    fn components_are_numbered_by_their_lowest_atom() {
        let bonds = [(1, 4), (2, 3), (0, 3)].map(|(first, second)| Bond { first, second, order: BondOrder::Single });
        assert_eq!(fragments(6, &bonds), (3, vec![0, 1, 0, 0, 1, 2]));
        assert_eq!(fragments(2, &[]), (2, vec![0, 1]));
    }
}
