//! Sanitisation and canonical identity, as RDKit has them.
//!
//! The only file that knows the chemistry library. Its young `rdkit_*` functions follow RDKit's rules step by step and
//! give RDKit's text; its own canonical form does neither. Hydrogens stay atoms of the graph. As in RDKit, a single bond from an atom
//! that would have too many to a metal counts as dative.

use super::bonds::perceive_bonds;
use super::graph::fragments;
use crate::element;
use crate::molecule::{Bond, BondOrder, Molecule};
use chematic_core::{Atom, AtomIdx, BondIdx, Element, MoleculeBuilder};
use chematic_smiles::{RdkitSmilesError, RdkitSmilesParams};
use std::borrow::Cow;

/// Atoms and bonds without coordinates.
#[derive(Clone, Copy)]
pub(super) struct Graph<'a> {
    pub(super) atomic_numbers: &'a [u8],
    /// Empty stands for neutral atoms.
    pub(super) formal_charges: &'a [i8],
    /// Empty stands for elements as they occur in nature, as does 0.
    pub(super) mass_numbers: &'a [u16],
    pub(super) bonds: &'a [Bond],
}

/// What sanitisation finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sanitised {
    /// A valence or an aromatic system is impossible.
    Invalid,
    /// Fine; the canonical SMILES of the fragment with most atoms, on a tie the one with the lowest atom.
    Valid(String),
    /// Fine, but the library cannot write it, and says why.
    Unwritable(String),
}

/// Sanitises the whole molecule, then names its largest fragment.
pub(super) fn sanitise(graph: Graph<'_>) -> Sanitised {
    let everything = vec![true; graph.atomic_numbers.len()];
    let Some(whole) = build(graph, &everything) else {
        return Sanitised::Invalid;
    };
    let whole = match coordinated(whole, graph.atomic_numbers) {
        Ok(whole) => whole,
        Err(RdkitSmilesError::Sanitization(_)) => return Sanitised::Invalid,
        Err(RdkitSmilesError::Unsupported(why)) => return Sanitised::Unwritable(why),
    };
    match chematic_smiles::rdkit_detect_chemistry_problems(&whole) {
        Ok(problems) if problems.is_empty() => {}
        Ok(_) | Err(RdkitSmilesError::Sanitization(_)) => return Sanitised::Invalid,
        Err(RdkitSmilesError::Unsupported(why)) => return Sanitised::Unwritable(why),
    }
    let (count, labels) = fragments(graph.atomic_numbers.len(), graph.bonds);
    let largest = if count == 1 { Some(whole) } else { build(graph, &largest_fragment(count, &labels)) };
    let written = largest.map(|largest| chematic_smiles::rdkit_smiles(&largest, &RdkitSmilesParams::default()));
    match written {
        Some(Ok(smiles)) => Sanitised::Valid(smiles),
        None | Some(Err(RdkitSmilesError::Sanitization(_))) => Sanitised::Invalid,
        Some(Err(RdkitSmilesError::Unsupported(why))) => Sanitised::Unwritable(why),
    }
}

/// The molecule with RDKit's dative bonds to metals, which the library's search for problems takes as made.
fn coordinated(mut molecule: chematic_core::Molecule, atomic_numbers: &[u8]) -> Result<chematic_core::Molecule, RdkitSmilesError> {
    if atomic_numbers.iter().all(|z| element::is_organic(*z)) {
        return Ok(molecule);
    }
    let edits = chematic_smiles::rdkit_cleanup_edits(&molecule)?;
    let bonds = edits.into_iter().flat_map(|edits| edits.bonds);
    for (bond, _, donor) in bonds.filter(|(_, order, _)| *order == chematic_core::BondOrder::Dative) {
        if let Some(donor) = donor {
            molecule.set_dative_bond(BondIdx(bond as u32), AtomIdx(donor as u32));
        }
    }
    Ok(molecule)
}

/// Canonical SMILES of a molecule's largest fragment, by its own bonds or else those that distances show; `None` if it
/// cannot be sanitised.
pub fn canonical_smiles(molecule: &Molecule) -> Option<String> {
    let perceive = || Cow::Owned(perceive_bonds(molecule.atomic_numbers(), molecule.positions()));
    let bonds = &molecule.bonds().map_or_else(perceive, Cow::Borrowed);
    match sanitise(Graph {
        atomic_numbers: molecule.atomic_numbers(),
        formal_charges: molecule.formal_charges().unwrap_or_default(),
        mass_numbers: molecule.isotopes().unwrap_or_default(),
        bonds,
    }) {
        Sanitised::Valid(smiles) => Some(smiles),
        Sanitised::Invalid | Sanitised::Unwritable(_) => None,
    }
}

/// Which atoms belong to the fragment with most of them; the first of equals.
fn largest_fragment(count: usize, labels: &[usize]) -> Vec<bool> {
    let mut sizes = vec![0_usize; count];
    for label in labels {
        sizes[*label] += 1;
    }
    let most = sizes.iter().max().copied().unwrap_or(0);
    let chosen = sizes.iter().position(|size| *size == most);
    labels.iter().map(|label| Some(*label) == chosen).collect()
}

/// The library's molecule of the kept atoms; `None` if an element or a bond is beyond it.
fn build(graph: Graph<'_>, kept: &[bool]) -> Option<chematic_core::Molecule> {
    let mut builder = MoleculeBuilder::with_capacity(kept.len(), graph.bonds.len());
    let mut places = vec![None; kept.len()];
    let aromatic = aromatic_atoms(graph);
    for (atom, _) in kept.iter().enumerate().filter(|(_, kept)| **kept) {
        let mut entry = Atom::new(Element::from_atomic_number(graph.atomic_numbers[atom])?);
        entry.charge = graph.formal_charges.get(atom).copied().unwrap_or(0);
        entry.isotope = graph.mass_numbers.get(atom).copied().filter(|mass| *mass > 0);
        entry.aromatic = aromatic[atom];
        places[atom] = Some(builder.add_atom(entry));
    }
    for bond in graph.bonds {
        if let (Some(a), Some(b)) = (places[bond.first], places[bond.second]) {
            add_bond(&mut builder, a, b, bond.order)?;
        }
    }
    Some(builder.build())
}

fn add_bond(builder: &mut MoleculeBuilder, a: AtomIdx, b: AtomIdx, order: BondOrder) -> Option<()> {
    let order = match order {
        BondOrder::Single => chematic_core::BondOrder::Single,
        BondOrder::Double => chematic_core::BondOrder::Double,
        BondOrder::Triple => chematic_core::BondOrder::Triple,
        BondOrder::Aromatic => chematic_core::BondOrder::Aromatic,
    };
    builder.add_bond(a, b, order).ok().map(|_| ())
}

fn aromatic_atoms(graph: Graph<'_>) -> Vec<bool> {
    let mut aromatic = vec![false; graph.atomic_numbers.len()];
    for bond in graph.bonds {
        if bond.order == BondOrder::Aromatic {
            aromatic[bond.first] = true;
            aromatic[bond.second] = true;
        }
    }
    aromatic
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bonds(list: &[(usize, usize, BondOrder)]) -> Vec<Bond> {
        let bond = |&(first, second, order)| Bond { first, second, order };
        list.iter().map(bond).collect()
    }

    fn result(atomic_numbers: &[u8], formal_charges: &[i8], bonds: &[Bond]) -> Sanitised {
        sanitise(Graph { atomic_numbers, formal_charges, mass_numbers: &[], bonds })
    }

    #[test]
    fn the_largest_fragment_is_named_and_the_lowest_atom_breaks_ties() {
        use BondOrder::Single;
        let two = bonds(&[(0, 1, Single), (2, 3, Single)]);
        let valid = |smiles: &str| Sanitised::Valid(smiles.to_owned());
        assert_eq!(result(&[1, 9, 1, 1], &[], &two), valid("[H]F"));
        assert_eq!(result(&[1, 1, 1, 9], &[], &two), valid("[H][H]"));
        let water_last = bonds(&[(0, 1, Single), (2, 3, Single), (2, 4, Single)]);
        assert_eq!(result(&[1, 1, 8, 1, 1], &[], &water_last), valid("[H]O[H]"));
    }

    #[test]
    fn charges_count_and_impossible_valences_are_found() {
        let four: Vec<_> = (1..5).map(|h| (0, h, BondOrder::Single)).collect();
        let ammonium = [7, 1, 1, 1, 1];
        assert_eq!(result(&ammonium, &[], &bonds(&four)), Sanitised::Invalid);
        let charged = result(&ammonium, &[1, 0, 0, 0, 0], &bonds(&four));
        assert_eq!(charged, Sanitised::Valid("[H][N+]([H])([H])[H]".to_owned()));
    }

    #[test]
    fn isotopes_are_written() {
        let bonds = bonds(&[(0, 1, BondOrder::Single), (0, 2, BondOrder::Single)]);
        let water = sanitise(Graph { atomic_numbers: &[8, 1, 1], formal_charges: &[], mass_numbers: &[0, 2, 0], bonds: &bonds });
        assert_eq!(water, Sanitised::Valid("[H]O[2H]".to_owned()));
    }

    #[test]
    fn aromatic_rings_and_their_localised_forms_are_one() {
        use BondOrder::{Aromatic, Double, Single};
        let ring = |orders: [BondOrder; 6]| {
            let mut list: Vec<_> = (0..6).map(|i| (i.min((i + 1) % 6), i.max((i + 1) % 6), orders[i])).collect();
            list.extend((0..6).map(|i| (i, i + 6, Single)));
            result(&[6, 6, 6, 6, 6, 6, 1, 1, 1, 1, 1, 1], &[], &bonds(&list))
        };
        let benzene = ring([Aromatic; 6]);
        assert!(matches!(&benzene, Sanitised::Valid(smiles) if smiles.starts_with("[H]c1c")));
        assert_eq!(benzene, ring([Single, Double, Single, Double, Single, Double]));
        assert_eq!(benzene, ring([Double, Single, Double, Single, Double, Single]));
        let odd = bonds(&[(0, 1, Aromatic), (1, 2, Aromatic), (0, 2, Aromatic)]);
        assert_eq!(result(&[6, 6, 6], &[], &odd), Sanitised::Invalid);
    }
}
