//! The published ways of judging a molecule.
//!
//! | protocol | bonds | stable | sanitised |
//! |---|---|---|---|
//! | `edm-qm9` | from distances; H C N O F | sum of orders is an allowed valence | the orders found |
//! | `edm-geom` | from distances; 16 elements | the same | all bonds made single first |
//! | `geom-revisited` | the file's, with formal charges | (aromatic, other) pair is listed for element and charge | the file's |

use super::sanitise::{Graph, Sanitised, sanitise};
use super::{bonds::perceive_bonds, graph::fragments, stability};
use crate::data::Vocabulary;
use crate::error::{Error, Fault, Result};
use crate::molecule::{Bond, BondOrder, Molecule};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::str::FromStr;

/// Which rules judge.
///
/// # Source
/// EDM (arXiv 2203.17003) and its published code; GEOM-Drugs Revisited (arXiv 2505.00169).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// EDM's on QM9.
    EdmQm9,
    /// EDM's on GEOM-Drugs.
    EdmGeom,
    /// The corrected valency table for GEOM-Drugs.
    GeomRevisited,
}

/// What a protocol says about one molecule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Name of the molecule.
    pub id: String,
    /// Its atoms.
    pub atoms: usize,
    /// Atoms with an allowed valence.
    pub stable_atoms: usize,
    /// Whether all its atoms are stable.
    pub mol_stable: bool,
    /// Whether it can be sanitised. Stability plays no part: implicit hydrogens fill missing bonds.
    pub valid: bool,
    /// Canonical SMILES of the largest fragment of a valid molecule, hydrogens written out.
    pub smiles: Option<String>,
    /// Connected components of the bond graph.
    pub n_fragments: usize,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EdmQm9, Self::EdmGeom, Self::GeomRevisited];

    /// Names, for messages.
    pub const NAMES: &'static str = "edm-qm9, edm-geom, geom-revisited";

    /// EDM's for molecules of these elements.
    pub fn of(vocabulary: &Vocabulary) -> Self {
        if vocabulary.elements().iter().all(|z| Vocabulary::qm9().elements().contains(z)) { Self::EdmQm9 } else { Self::EdmGeom }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::EdmQm9 => "edm-qm9",
            Self::EdmGeom => "edm-geom",
            Self::GeomRevisited => "geom-revisited",
        }
    }

    /// Judges one molecule.
    ///
    /// # Errors
    /// [`Fault::OutsideVocabulary`] for an element that the protocol does not know; [`Fault::Missing`] where
    /// `geom-revisited` gets a molecule without bonds.
    pub fn judge(self, molecule: &Molecule) -> Result<Verdict, Fault> {
        self.check_elements(molecule)?;
        let bonds = self.bonds(molecule)?;
        let atomic_numbers = molecule.atomic_numbers();
        let neutral = vec![0; molecule.len()];
        let charges = match self {
            Self::GeomRevisited => molecule.formal_charges().unwrap_or(&neutral),
            Self::EdmQm9 | Self::EdmGeom => &neutral,
        };
        let stable_atoms = match self {
            Self::EdmQm9 | Self::EdmGeom => stability::edm(atomic_numbers, &bonds),
            Self::GeomRevisited => stability::revisited(atomic_numbers, charges, &bonds),
        };
        // EDM's protocols know elements alone; a file's bonds come with its isotopes.
        let mass_numbers = molecule.isotopes().filter(|_| self == Self::GeomRevisited).unwrap_or_default();
        let graph = Graph { atomic_numbers, formal_charges: charges, mass_numbers, bonds: &self.sanitised_bonds(&bonds) };
        let sanitised = sanitise(graph);
        if let Sanitised::Unwritable(why) = &sanitised {
            tracing::warn!("{}: valid, but without SMILES: {why}", molecule.name());
        }
        Ok(Verdict {
            id: molecule.name().to_owned(),
            atoms: molecule.len(),
            stable_atoms,
            mol_stable: stable_atoms == molecule.len(),
            valid: sanitised != Sanitised::Invalid,
            smiles: match sanitised {
                Sanitised::Valid(smiles) => Some(smiles),
                Sanitised::Invalid | Sanitised::Unwritable(_) => None,
            },
            n_fragments: fragments(molecule.len(), &bonds).0,
        })
    }

    /// The bonds that it judges: those that distances show, or the molecule's own.
    ///
    /// # Errors
    /// [`Fault::Missing`] where `geom-revisited` gets a molecule without bonds.
    pub fn bonds(self, molecule: &Molecule) -> Result<Cow<'_, [Bond]>, Fault> {
        match (self, molecule.bonds()) {
            (Self::EdmQm9 | Self::EdmGeom, _) => {
                let bonds = perceive_bonds(molecule.atomic_numbers(), molecule.positions());
                Ok(Cow::Owned(bonds))
            }
            (Self::GeomRevisited, Some(bonds)) => Ok(Cow::Borrowed(bonds)),
            (Self::GeomRevisited, None) => Err(Fault::Missing {
                what: "bond list, which the protocol geom-revisited judges".to_owned(),
                remedy: "give an SDF file, or judge by distances with edm-geom",
            }),
        }
    }

    /// The bonds that sanitisation sees.
    fn sanitised_bonds(self, bonds: &[Bond]) -> Cow<'_, [Bond]> {
        let single = |bond: &Bond| Bond { order: BondOrder::Single, ..*bond };
        match self {
            Self::EdmGeom => Cow::Owned(bonds.iter().map(single).collect()),
            Self::EdmQm9 | Self::GeomRevisited => Cow::Borrowed(bonds),
        }
    }

    fn check_elements(self, molecule: &Molecule) -> Result<(), Fault> {
        let (whose, vocabulary, remedy) = match self {
            Self::EdmQm9 => ("the protocol edm-qm9", Vocabulary::qm9(), "judge such molecules with the protocol edm-geom"),
            Self::EdmGeom => ("the protocol edm-geom", Vocabulary::geom(), "leave such molecules out"),
            // Its table lists no valence for other elements: their atoms are unstable, not errors.
            Self::GeomRevisited => return Ok(()),
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
        let unknown = || Error::UnknownName { name: name.to_owned(), what: "protocol", known: Self::NAMES.to_owned() };
        Self::ALL.into_iter().find(|protocol| protocol.name() == name).ok_or_else(unknown)
    }
}
