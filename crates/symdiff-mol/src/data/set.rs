//! Packed sets of molecules: all atoms one after the other, no padding.
//!
//! QM9 has 18.1 atoms a molecule and at most 29: a padded array would hold 60 % more, all of it noise to skip.

use super::array::Array;
use super::references::REFERENCE_SUFFIX;
use super::split::{Part, Split};
use crate::error::{Error, Fault, Result};
use crate::molecule::{Molecule, check_atoms};
use std::collections::BTreeMap;

/// Many molecules in three flat arrays.
///
/// Invariants: those of [`Molecule`] for each of them, except that positions are `f32`.
///
/// # Shapes
/// `atomic_numbers` `[N]`, `positions` `[N, 3]` with N the atoms of all M molecules, `index` `[M]`.
///
/// # Units
/// Angstrom.
#[derive(Debug, Clone, PartialEq)]
pub struct MoleculeSet {
    offsets: Vec<usize>,
    atomic_numbers: Array<u8>,
    positions: Array<[f32; 3]>,
    index: Vec<i32>,
    properties: BTreeMap<String, Vec<f64>>,
    split: Option<Split>,
}

impl MoleculeSet {
    /// A set from flat arrays: `num_atoms` `[M]`, `atomic_numbers` `[N]`, `positions` `[N, 3]`, and the source's own
    /// numbering `index` `[M]` (1 to M where there is none).
    ///
    /// # Errors
    /// [`Error::Molecule`] names the molecule, counted from zero, that breaks an invariant.
    pub fn from_packed(
        num_atoms: impl IntoIterator<Item = usize>,
        atomic_numbers: Vec<u8>,
        positions: Vec<[f32; 3]>,
        index: Option<Vec<i32>>,
    ) -> Result<Self> {
        Self::from_arrays(num_atoms, atomic_numbers.into(), positions.into(), index)
    }

    /// [`from_packed`](Self::from_packed) over arrays that may lie in a mapped file.
    pub(crate) fn from_arrays(
        num_atoms: impl IntoIterator<Item = usize>,
        atomic_numbers: Array<u8>,
        positions: Array<[f32; 3]>,
        index: Option<Vec<i32>>,
    ) -> Result<Self> {
        let mut offsets = vec![0_usize];
        let mut end = 0_usize;
        for (molecule, atoms) in num_atoms.into_iter().enumerate() {
            end = end.saturating_add(atoms);
            let start = offsets[molecule];
            let (Some(z), Some(x)) = (atomic_numbers.get(start..end), positions.get(start..end)) else {
                return Err(Fault::Length { what: "the list of atoms", expected: end, found: atomic_numbers.len().min(positions.len()) }
                    .at(molecule));
            };
            check_atoms(z, x).map_err(|fault| fault.at(molecule))?;
            offsets.push(end);
        }
        let molecules = offsets.len() - 1;
        let index = index.unwrap_or_else(|| (1..=molecules as i32).collect());
        for (what, found, expected) in [
            ("the list of atomic numbers", atomic_numbers.len(), end),
            ("the list of positions", positions.len(), end),
            ("the list of indices", index.len(), molecules),
        ] {
            if found != expected {
                return Err(Fault::Length { what, expected, found }.at(molecules));
            }
        }
        Ok(Self { offsets, atomic_numbers, positions, index, properties: BTreeMap::new(), split: None })
    }

    /// The same set with numbers of its molecules, `[M]` for each name.
    ///
    /// # Errors
    /// A list of another length, and a number that is not finite.
    pub fn with_properties(mut self, properties: BTreeMap<String, Vec<f64>>) -> Result<Self> {
        if let Some(wrong) = properties.values().find(|values| values.len() != self.len()) {
            let fault = Fault::Length { what: "the list of a property", expected: self.len(), found: wrong.len() };
            return Err(fault.at(self.len().min(wrong.len())));
        }
        for (name, values) in &properties {
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                let found = format!("{} as `{name}`", values[at]);
                return Err(Fault::unexpected("a finite number", &found, "complete the property or leave such molecules out").at(at));
            }
        }
        self.properties = properties;
        Ok(self)
    }

    /// The same set with a split of its own.
    ///
    /// # Errors
    /// [`Fault::Unexpected`] where a place is beyond the set or in two parts.
    pub fn with_split(mut self, split: Split) -> Result<Self, Fault> {
        split.check(self.len())?;
        self.split = Some(split);
        Ok(self)
    }

    /// A set of the given molecules, positions rounded to `f32`; names, bonds and charges stay behind, and so does a
    /// property that not every molecule has.
    ///
    /// # Errors
    /// [`Error::Molecule`] where a coordinate is beyond `f32`, and whatever the iterator yields.
    ///
    /// ```
    /// use symdiff_mol::{Molecule, data::MoleculeSet};
    /// let h2 = Molecule::new("h2", vec![1, 1], vec![[0.0; 3], [0.74, 0.0, 0.0]])?;
    /// let set = MoleculeSet::from_molecules([Ok(h2)])?;
    /// assert_eq!(set.atomic_numbers(0), [1, 1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_molecules(molecules: impl IntoIterator<Item = Result<Molecule>>) -> Result<Self> {
        let (mut num_atoms, mut index) = (Vec::new(), Vec::new());
        let (mut atomic_numbers, mut positions) = (Vec::new(), Vec::new());
        let mut properties: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for molecule in molecules {
            let molecule = molecule?;
            for (name, value) in molecule.properties() {
                match properties.get_mut(name) {
                    Some(values) => values.push(*value),
                    None => drop(properties.insert(name.clone(), vec![*value])),
                }
            }
            num_atoms.push(molecule.len());
            index.push(molecule.index().unwrap_or(num_atoms.len() as i32));
            atomic_numbers.extend_from_slice(molecule.atomic_numbers());
            positions.extend(molecule.positions().iter().map(|row| row.map(|v| v as f32)));
        }
        properties.retain(|name, values| {
            let complete = values.len() == num_atoms.len();
            if !complete {
                tracing::warn!("`{name}` is left out, since {} of {} molecules have it", values.len(), num_atoms.len());
            }
            complete
        });
        Self::from_packed(num_atoms, atomic_numbers, positions, Some(index))?.with_properties(properties)
    }

    /// Number of molecules M.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no molecule.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Atoms of all molecules, N.
    pub fn total_atoms(&self) -> usize {
        self.atomic_numbers.len()
    }

    /// Atoms of molecule `i`.
    ///
    /// # Panics
    /// Like the other accessors, when `i` is not below [`len`](Self::len).
    pub fn num_atoms(&self, i: usize) -> usize {
        self.offsets[i + 1] - self.offsets[i]
    }

    /// Atoms of each molecule, in order.
    pub fn sizes(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.offsets.windows(2).map(|pair| pair[1] - pair[0])
    }

    /// Atomic numbers of molecule `i`, `[n_i]`.
    pub fn atomic_numbers(&self, i: usize) -> &[u8] {
        &self.atomic_numbers[self.offsets[i]..self.offsets[i + 1]]
    }

    /// Positions of molecule `i` in angstrom, `[n_i, 3]`.
    pub fn positions(&self, i: usize) -> &[[f32; 3]] {
        &self.positions[self.offsets[i]..self.offsets[i + 1]]
    }

    /// The source's own number of molecule `i` (in QM9 that of `dsgdb9nsd_NNNNNN.xyz`).
    pub fn index(&self, i: usize) -> i32 {
        self.index[i]
    }

    /// All atomic numbers, `[N]`.
    pub fn all_atomic_numbers(&self) -> &[u8] {
        &self.atomic_numbers
    }

    /// All positions, `[N, 3]`.
    pub fn all_positions(&self) -> &[[f32; 3]] {
        &self.positions
    }

    /// Numbers of the molecules by name, `[M]` each, in the source's units.
    pub fn properties(&self) -> &BTreeMap<String, Vec<f64>> {
        &self.properties
    }

    /// A property of every molecule, `[M]`, in the source's units.
    ///
    /// # Errors
    /// [`Error::UnknownName`] where the set has no such property, or some of its molecules lack it.
    pub fn property(&self, name: &str) -> Result<&[f64]> {
        self.properties.get(name).map(Vec::as_slice).ok_or_else(|| Error::UnknownName {
            name: name.to_owned(),
            what: "property of every molecule of the set",
            known: match self.properties.keys().map(String::as_str).collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => "a set that has properties: this one has none".to_owned(),
                names => names,
            },
        })
    }

    /// A property as models are conditioned on it: less the references of its atoms (`NAME_thermo`) where the set has them.
    ///
    /// # Errors
    /// Those of [`MoleculeSet::property`].
    pub fn conditioning(&self, name: &str) -> Result<Vec<f64>> {
        let values = self.property(name)?;
        let references = self.properties.get(&format!("{name}{REFERENCE_SUFFIX}"));
        Ok(references.map_or_else(|| values.to_vec(), |sums| values.iter().zip(sums).map(|(value, sum)| value - sum).collect()))
    }

    /// The molecules of one part of the set's split, in its order.
    ///
    /// # Errors
    /// [`Fault::Empty`] where the part has none: a set of one molecule has none to train on.
    pub fn part(&self, part: Part) -> Result<Self, Fault> {
        let split = self.split();
        let what = match part {
            Part::Train => "the training part of the set",
            Part::Valid => "the validation part of the set",
            Part::Test => "the test part of the set",
        };
        match split.part(part) {
            [] => Err(Fault::Empty { what, unit: "molecule" }),
            places => Ok(self.select(places)),
        }
    }

    /// What trains, validates and tests: the set's own split, else the published one of so many molecules.
    pub fn split(&self) -> Split {
        self.split.clone().unwrap_or_else(|| Split::published(self.len()))
    }

    /// The split that came with the set.
    pub(crate) fn own_split(&self) -> Option<&Split> {
        self.split.as_ref()
    }

    /// Molecule `i` on its own, with its properties, positions widened to `f64`, named by its index.
    pub fn molecule(&self, i: usize) -> Molecule {
        let molecule = Molecule::new(
            self.index[i].to_string(),
            self.atomic_numbers(i).to_vec(),
            self.positions(i).iter().map(|row| row.map(f64::from)).collect(),
        )
        .expect("a set holds checked molecules only")
        .with_index(self.index[i]);
        self.properties.iter().fold(molecule, |molecule, (name, values)| molecule.with_property(name.clone(), values[i]))
    }

    /// All molecules, one after the other.
    pub fn molecules(&self) -> impl ExactSizeIterator<Item = Molecule> + '_ {
        (0..self.len()).map(|i| self.molecule(i))
    }

    /// The molecules at these places, in this order, without a split.
    ///
    /// # Panics
    /// When a place is not below [`len`](Self::len).
    #[must_use]
    pub fn select(&self, places: &[usize]) -> Self {
        let mut offsets = vec![0];
        let (mut atomic_numbers, mut positions) = (Vec::new(), Vec::new());
        for &i in places {
            atomic_numbers.extend_from_slice(self.atomic_numbers(i));
            positions.extend_from_slice(self.positions(i));
            offsets.push(atomic_numbers.len());
        }
        let properties = self.properties.iter().map(|(name, values)| (name.clone(), places.iter().map(|i| values[*i]).collect()));
        Self {
            offsets,
            atomic_numbers: atomic_numbers.into(),
            positions: positions.into(),
            index: places.iter().map(|i| self.index[*i]).collect(),
            properties: properties.collect(),
            split: None,
        }
    }
}

/// Turns a molecule counted from zero in memory into one counted from one in a file.
pub(crate) fn in_file(error: Error, path: &std::path::Path) -> Error {
    match error {
        Error::Molecule { index, fault } => Error::content(path, crate::error::Place::Molecule(index as u64 + 1), fault),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> MoleculeSet {
        let x = (0..5).map(|k| [k as f32, 0.0, 0.0]).collect();
        MoleculeSet::from_packed([2, 3], vec![1, 9, 8, 1, 1], x, Some(vec![7, 9])).unwrap()
    }

    #[test]
    fn molecules_are_slices_of_the_flat_arrays() {
        let set = two();
        assert_eq!((set.len(), set.total_atoms()), (2, 5));
        assert_eq!(set.atomic_numbers(1), [8, 1, 1]);
        assert_eq!(set.positions(1)[0], [2.0, 0.0, 0.0]);
        assert_eq!(set.molecule(1).name(), "9");
        assert_eq!(set.sizes().collect::<Vec<_>>(), [2, 3]);
        let swapped = set.select(&[1, 0]);
        assert_eq!(swapped.atomic_numbers(1), set.atomic_numbers(0));
        assert_eq!(swapped.select(&[1, 0]), set);
    }

    #[test]
    fn parts_and_properties_that_are_not_there_are_named() {
        let set = two().with_properties([("gap".to_owned(), vec![1.0, 2.0])].into()).unwrap();
        assert_eq!((set.part(Part::Train).unwrap().len(), set.property("gap").unwrap()), (1, &[1.0, 2.0][..]));
        let message = set.part(Part::Test).unwrap_err().to_string();
        assert!(message.contains("the test part of the set is empty"), "{message}");
        let message = set.property("mu").unwrap_err().to_string();
        assert_eq!(message, "`mu` is not a known property of every molecule of the set; use one of gap");
        let message = two().with_properties([("gap".to_owned(), vec![1.0, f64::NAN])].into()).unwrap_err().to_string();
        assert!(message.starts_with("molecule 1: expected a finite number, found `NaN as `gap``"), "{message}");
    }

    #[test]
    fn arrays_that_disagree_are_refused_with_their_place() {
        let x = vec![[0.0_f32; 3]; 3];
        let build = |sizes: &[usize], z: Vec<u8>, x: Vec<[f32; 3]>| {
            MoleculeSet::from_packed(sizes.iter().copied(), z, x, None).unwrap_err().to_string()
        };
        assert!(build(&[2, 2], vec![1; 3], x.clone()).contains("molecule 1"));
        assert!(build(&[2], vec![1; 3], x.clone()).contains("3 entries and 2 are needed"));
        assert!(build(&[2, 0, 1], vec![1; 3], x.clone()).contains("molecule 1: the molecule is empty"));
        assert!(build(&[1, 1, 1], vec![1, 0, 1], x).contains("molecule 1: atom 1"));
        assert!(build(&[usize::MAX, 2], vec![1; 3], vec![[0.0; 3]; 3]).contains("molecule 0"));
    }
}
