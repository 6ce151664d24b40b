//! Energies of free atoms, which are subtracted from those of molecules before anything is conditioned on them.
//!
//! QM9's authors publish them beside the molecules as `atomref.txt`: a line `element ZPVE U0 U H G Cv` for each of H, C, N, O, F, at the
//! molecules' level of theory (B3LYP/6-31G(2df,p); hartree, Cv in cal/(mol K)), between lines of heading. The published Python code sums them
//! over a molecule's atoms and keeps the sum under the property's name with `_thermo` behind it; so do we, and nothing is lost.
//!
//! # Source
//! Ramakrishnan, Dral, Rupp, von Lilienfeld, Scientific Data 1, 140022 (2014); the names are those of EDM's code (arXiv 2203.17003).

use crate::element;
use crate::error::{Error, Fault, Place, Result};
use crate::formats::{Source, number};
use crate::molecule::Molecule;
use std::collections::BTreeMap;
use std::path::Path;

/// The properties that have a reference, in the order of the file's columns.
pub const REFERENCED: [&str; 6] = ["zpve", "U0", "U", "H", "G", "Cv"];

/// What stands behind the name of a property in the name of the sum of its references.
pub(super) const REFERENCE_SUFFIX: &str = "_thermo";

const REMEDY: &str = "give QM9's atomref.txt as published";

/// Energies of free atoms by element.
#[derive(Debug, Clone, PartialEq)]
pub struct AtomReferences(BTreeMap<u8, [f64; 6]>);

impl AtomReferences {
    /// Reads `atomref.txt`: lines that begin with an element's symbol count, all others are heading.
    ///
    /// # Errors
    /// A counted line without six numbers, an element twice, or no such line at all.
    pub fn read(path: &Path) -> Result<Self> {
        let mut source = Source::open(path)?;
        let mut rows = BTreeMap::new();
        while let Some(line) = source.next_line()?.map(str::to_owned) {
            let mut words = line.split_whitespace();
            let Some(atomic_number) = words.next().filter(|word| word.parse::<f64>().is_err()).and_then(element::atomic_number) else {
                continue;
            };
            let fault = |fault| source.fault(fault);
            let energies = words.map(|word| number::finite("an energy of the free atom", word)).collect::<Result<Vec<_>, _>>();
            let energies = <[f64; 6]>::try_from(energies.map_err(fault)?)
                .map_err(|found| fault(Fault::Length { what: "the line of an element", expected: 6, found: found.len() }))?;
            if rows.insert(atomic_number, energies).is_some() {
                return Err(fault(Fault::unexpected("each element once", &line, REMEDY)));
            }
        }
        if rows.is_empty() {
            return Err(Error::content(path, Place::Whole, Fault::Empty { what: "the table of free atoms", unit: "element" }));
        }
        Ok(Self(rows))
    }

    /// The rows: ZPVE, U0, U, H, G, Cv of each element, by atomic number.
    pub fn energies(&self) -> impl Iterator<Item = [f64; 6]> + '_ {
        self.0.values().copied()
    }

    /// The molecule with the sums of references (`U0_thermo`, …) for those of its properties that have one.
    ///
    /// # Errors
    /// [`Fault::OutsideVocabulary`] for an element that the table lacks.
    pub fn attach(&self, molecule: Molecule) -> Result<Molecule, Fault> {
        let mut sums = [0.0; 6];
        for &atomic_number in molecule.atomic_numbers() {
            let row = self.0.get(&atomic_number).ok_or_else(|| Fault::OutsideVocabulary {
                atomic_number,
                whose: "the table of free atoms",
                known: self.0.keys().map(|z| element::symbol_or_mark(*z)).collect::<Vec<_>>().join(" "),
                remedy: "leave such molecules out, or add the element's line",
            })?;
            for (sum, energy) in sums.iter_mut().zip(row) {
                *sum += energy;
            }
        }
        let named = REFERENCED.into_iter().zip(sums);
        Ok(named.fold(molecule, |molecule, (name, sum)| {
            if molecule.properties().contains_key(name) {
                molecule.with_property(format!("{name}{REFERENCE_SUFFIX}"), sum)
            } else {
                molecule
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::MoleculeSet;

    const PUBLISHED: &str = include_str!("../../tests/corpus/references/atomref.txt");

    fn read(text: &str) -> Result<AtomReferences> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("atomref.txt");
        std::fs::write(&path, text).unwrap();
        AtomReferences::read(&path)
    }

    fn methane() -> Molecule {
        let x = (0..5).map(|k| [f64::from(k), 0.0, 0.0]).collect();
        let molecule = Molecule::new("gdb 1", vec![6, 1, 1, 1, 1], x).unwrap();
        molecule.with_property("U0", -40.47893).with_property("Cv", 6.469).with_property("gap", 0.5048)
    }

    #[test]
    fn a_property_less_its_references_is_what_conditions() {
        let molecule = read(PUBLISHED).unwrap().attach(methane()).unwrap();
        assert_eq!(molecule.properties().len(), 5);
        let set = MoleculeSet::from_molecules([Ok(molecule)]).unwrap();
        // The atomisation energy of methane at 0 K: −40.47893 − (−37.846772 − 4·0.500273) hartree.
        assert!((set.conditioning("U0").unwrap()[0] - -0.631066).abs() < 1e-9);
        assert!((set.conditioning("Cv").unwrap()[0] - (6.469 - 5.0 * 2.981)).abs() < 1e-9);
        assert_eq!(set.conditioning("gap").unwrap(), [0.5048]);
        assert_eq!((set.properties()["U0"][0], set.conditioning("mu").is_err()), (-40.47893, true));
    }

    #[test]
    fn odd_tables_and_strange_elements_are_refused() {
        let message = |text: &str| read(text).unwrap_err().to_string();
        assert!(message("nothing here\n").contains("at least one element"));
        assert!(message("H 0 1 2 3 4\n").contains("line 1: the line of an element has 5 entries and 6 are needed"));
        assert!(message("H 0 1 2 3 4 nan\n").contains("an energy"));
        assert!(message("H 0 1 2 3 4 5\nH 0 1 2 3 4 5\n").contains("line 2: expected each element once"));
        let fault = read("H 0 1 2 3 4 5\n").unwrap().attach(methane()).unwrap_err().to_string();
        assert!(fault.contains("C (atomic number 6)") && fault.contains("(H)"), "{fault}");
    }
}
