//! The published ways of judging a molecule.

use super::{bonds::perceive_bonds, graph::fragments, tables};
use crate::data::Vocabulary;
use crate::error::{Error, Fault, Result};
use crate::molecule::{Bond, Molecule};
use serde::Serialize;
use std::str::FromStr;

/// Which rules judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// EDM's on QM9: H C N O F, bonds from distances.
    EdmQm9,
    /// EDM's on GEOM-Drugs: sixteen elements, bonds from distances.
    EdmGeom,
}

/// What a protocol says about one molecule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Name of the molecule.
    pub id: String,
    /// Its atoms.
    pub atoms: usize,
    /// Atoms whose bond orders sum to an allowed valence.
    pub stable_atoms: usize,
    /// Whether all its atoms are stable.
    pub mol_stable: bool,
    /// Whether it can be sanitised; `None` where that was not asked for.
    pub valid: Option<bool>,
    /// Canonical SMILES of the largest fragment of a valid molecule.
    pub smiles: Option<String>,
    /// Connected components of the bond graph.
    pub n_fragments: usize,
}

impl Protocol {
    /// Names, for messages.
    pub const NAMES: &'static str = "edm-qm9, edm-geom";

    /// Judges one molecule.
    ///
    /// # Errors
    /// [`Fault::OutsideVocabulary`] for an element that the protocol does not know.
    pub fn judge(self, molecule: &Molecule) -> Result<Verdict, Fault> {
        self.check_elements(molecule)?;
        let bonds = perceive_bonds(molecule.atomic_numbers(), molecule.positions());
        let stable_atoms = stable_atoms(molecule.atomic_numbers(), &bonds);
        Ok(Verdict {
            id: molecule.name().to_owned(),
            atoms: molecule.len(),
            stable_atoms,
            mol_stable: stable_atoms == molecule.len(),
            valid: None,
            smiles: None,
            n_fragments: fragments(molecule.len(), &bonds).0,
        })
    }

    fn check_elements(self, molecule: &Molecule) -> Result<(), Fault> {
        let (whose, vocabulary, remedy) = match self {
            Self::EdmQm9 => ("the protocol edm-qm9", Vocabulary::qm9(), "judge such molecules with the protocol edm-geom"),
            Self::EdmGeom => ("the protocol edm-geom", Vocabulary::geom(), "leave such molecules out"),
        };
        let stranger = molecule.atomic_numbers().iter().find(|z| !vocabulary.elements().contains(z));
        match stranger {
            None => Ok(()),
            Some(&atomic_number) => Err(Fault::OutsideVocabulary { atomic_number, whose, known: vocabulary.symbols(), remedy }),
        }
    }
}

impl FromStr for Protocol {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "edm-qm9" => Ok(Self::EdmQm9),
            "edm-geom" => Ok(Self::EdmGeom),
            _ => Err(Error::UnknownName { name: name.to_owned(), what: "protocol", known: Self::NAMES }),
        }
    }
}

/// Atoms whose bond orders sum to one of their element's allowed valences.
fn stable_atoms(atomic_numbers: &[u8], bonds: &[Bond]) -> usize {
    let mut valence = vec![0_u8; atomic_numbers.len()];
    for bond in bonds {
        let pairs = bond.order.pairs().unwrap_or(0);
        for atom in [bond.first, bond.second] {
            valence[atom] = valence[atom].saturating_add(pairs);
        }
    }
    atomic_numbers.iter().zip(&valence).filter(|(z, sum)| tables::allowed_valences(**z).contains(sum)).count()
}
