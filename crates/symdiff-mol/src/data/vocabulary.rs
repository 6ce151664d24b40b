//! The elements a model knows, in the order of its one-hot features.

use crate::element;
use crate::error::{Error, Fault, Result};

/// An ordered list of elements with a lookup from atomic number to place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    name: &'static str,
    elements: &'static [u8],
}

const QM9: Vocabulary = Vocabulary { name: "qm9", elements: &[1, 6, 7, 8, 9] };

const GEOM: Vocabulary = Vocabulary { name: "geom", elements: &[1, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 33, 35, 53, 80, 83] };

const QM9_HEAVY: Vocabulary = Vocabulary { name: "qm9-no-h", elements: &[6, 7, 8, 9] };

const GEOM_HEAVY: Vocabulary = Vocabulary { name: "geom-no-h", elements: &[5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 33, 35, 53, 80, 83] };

impl Vocabulary {
    /// H C N O F.
    pub const fn qm9() -> Self {
        QM9
    }

    /// H B C N O F Al Si P S Cl As Br I Hg Bi.
    pub const fn geom() -> Self {
        GEOM
    }

    /// C N O F, for molecules without their hydrogens.
    pub const fn qm9_heavy() -> Self {
        QM9_HEAVY
    }

    /// The elements of [`Vocabulary::geom`] but H.
    pub const fn geom_heavy() -> Self {
        GEOM_HEAVY
    }

    /// `qm9`, `geom`, or `qm9-no-h`, `geom-no-h`.
    pub fn from_name(name: &str) -> Result<Self> {
        [QM9, GEOM, QM9_HEAVY, GEOM_HEAVY].into_iter().find(|vocabulary| vocabulary.name == name).ok_or_else(|| Error::UnknownName {
            name: name.to_owned(),
            what: "vocabulary",
            known: "qm9, geom, qm9-no-h, geom-no-h".to_owned(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Atomic numbers in feature order.
    pub fn elements(&self) -> &'static [u8] {
        self.elements
    }

    /// Number of elements.
    #[expect(clippy::len_without_is_empty, reason = "no vocabulary is empty")]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Place of an atomic number among the features.
    ///
    /// # Errors
    /// [`Fault::OutsideVocabulary`] for a stranger.
    ///
    /// ```
    /// use symdiff_mol::data::Vocabulary;
    /// assert_eq!(Vocabulary::qm9().place(8)?, 3);
    /// assert!(Vocabulary::qm9().place(17).is_err());
    /// # Ok::<(), symdiff_mol::Fault>(())
    /// ```
    pub fn place(&self, atomic_number: u8) -> Result<usize, Fault> {
        self.elements.binary_search(&atomic_number).map_err(|_| Fault::OutsideVocabulary {
            atomic_number,
            whose: self.name,
            known: self.symbols(),
            remedy: "choose the vocabulary `geom` or leave such molecules out",
        })
    }

    /// Atomic number at a place; `None` beyond the end.
    pub fn atomic_number(&self, place: usize) -> Option<u8> {
        self.elements.get(place).copied()
    }

    /// Symbols in feature order, separated by spaces.
    pub fn symbols(&self) -> String {
        let symbols: Vec<_> = self.elements.iter().map(|z| element::symbol_or_mark(*z)).collect();
        symbols.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_elements_are_inverse() {
        for vocabulary in [QM9, GEOM, QM9_HEAVY, GEOM_HEAVY] {
            assert_eq!(Vocabulary::from_name(vocabulary.name()).unwrap(), vocabulary);
            assert!(vocabulary.elements().is_sorted());
            for place in 0..vocabulary.len() {
                let z = vocabulary.atomic_number(place).unwrap();
                assert_eq!(vocabulary.place(z).unwrap(), place);
            }
        }
        let message = Vocabulary::qm9().place(17).unwrap_err().to_string();
        assert!(message.contains("Cl (atomic number 17)") && message.contains("H C N O F"));
        assert!(Vocabulary::from_name("zinc").is_err());
    }
}
