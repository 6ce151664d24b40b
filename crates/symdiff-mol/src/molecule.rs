//! One molecule: atoms in space, and bonds and charges where its source gives them.

use crate::element;
use crate::error::Fault;
use std::collections::BTreeMap;

/// A molecule as a file or a generator gives it.
///
/// Invariants: at least one atom, one position an atom, known elements, finite coordinates; bonds, where present,
/// join two different atoms, each pair at most once.
///
/// # Units
/// Positions in angstrom.
#[derive(Debug, Clone, PartialEq)]
pub struct Molecule {
    name: String,
    atomic_numbers: Vec<u8>,
    positions: Vec<[f64; 3]>,
    bonds: Option<Vec<Bond>>,
    formal_charges: Option<Vec<i8>>,
    isotopes: Option<Vec<u16>>,
    properties: BTreeMap<String, f64>,
    index: Option<i32>,
}

/// A bond between atoms `first < second`, counted from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bond {
    /// The lower atom.
    pub first: usize,
    /// The higher atom.
    pub second: usize,
    /// How strong.
    pub order: BondOrder,
}

/// Order of a bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BondOrder {
    /// One electron pair.
    Single,
    /// Two pairs.
    Double,
    /// Three pairs.
    Triple,
    /// Delocalised, as some files write it. Distances never give it.
    Aromatic,
}

impl BondOrder {
    /// Electron pairs of a localised bond; `None` for an aromatic one.
    pub fn pairs(self) -> Option<u8> {
        match self {
            Self::Single => Some(1),
            Self::Double => Some(2),
            Self::Triple => Some(3),
            Self::Aromatic => None,
        }
    }
}

impl Molecule {
    /// A molecule without bonds or charges.
    ///
    /// # Errors
    /// [`Fault`] for no atoms, unequal lengths, an unknown element, a coordinate that is not finite.
    ///
    /// ```
    /// use symdiff_mol::Molecule;
    /// let h2 = Molecule::new("h2", vec![1, 1], vec![[0.0; 3], [0.74, 0.0, 0.0]])?;
    /// assert_eq!(h2.len(), 2);
    /// assert!(Molecule::new("bad", vec![1], vec![[f64::NAN; 3]]).is_err());
    /// # Ok::<(), symdiff_mol::Fault>(())
    /// ```
    pub fn new(name: impl Into<String>, atomic_numbers: Vec<u8>, positions: Vec<[f64; 3]>) -> Result<Self, Fault> {
        check_atoms(&atomic_numbers, &positions)?;
        Ok(Self {
            name: name.into(),
            atomic_numbers,
            positions,
            bonds: None,
            formal_charges: None,
            isotopes: None,
            properties: BTreeMap::new(),
            index: None,
        })
    }

    /// The same molecule with these bonds, which may name their atoms in either order.
    pub fn with_bonds(mut self, bonds: impl IntoIterator<Item = Bond>) -> Result<Self, Fault> {
        let mut sorted = Vec::new();
        for (number, bond) in bonds.into_iter().enumerate() {
            sorted.push(self.checked_bond(number + 1, bond)?);
        }
        sorted.sort_unstable();
        if let Some(at) = sorted.windows(2).position(|pair| (pair[0].first, pair[0].second) == (pair[1].first, pair[1].second)) {
            return Err(Fault::BondInvalid {
                bond: at + 2,
                first: sorted[at].first + 1,
                second: sorted[at].second + 1,
                problem: "a pair that is already bonded",
            });
        }
        self.bonds = Some(sorted);
        Ok(self)
    }

    /// The same molecule with these formal charges, one an atom.
    pub fn with_formal_charges(mut self, charges: Vec<i8>) -> Result<Self, Fault> {
        if charges.len() != self.len() {
            return Err(Fault::Length { what: "the list of formal charges", expected: self.len(), found: charges.len() });
        }
        self.formal_charges = Some(charges);
        Ok(self)
    }

    /// The same molecule with these mass numbers, one an atom; 0 stands for an element as it occurs in nature.
    pub fn with_isotopes(mut self, mass_numbers: Vec<u16>) -> Result<Self, Fault> {
        if mass_numbers.len() != self.len() {
            return Err(Fault::Length { what: "the list of mass numbers", expected: self.len(), found: mass_numbers.len() });
        }
        self.isotopes = mass_numbers.iter().any(|mass| *mass > 0).then_some(mass_numbers);
        Ok(self)
    }

    /// The same molecule with a number that its source gives for it, such as an energy.
    #[must_use]
    pub fn with_property(mut self, name: impl Into<String>, value: f64) -> Self {
        self.properties.insert(name.into(), value);
        self
    }

    /// The same molecule with its source's own number.
    #[must_use]
    pub fn with_index(mut self, index: i32) -> Self {
        self.index = Some(index);
        self
    }

    /// The same molecule under another name.
    #[must_use]
    pub fn renamed(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What its source calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of atoms, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a molecule is never empty")]
    pub fn len(&self) -> usize {
        self.atomic_numbers.len()
    }

    /// Atomic numbers, `[n]`.
    pub fn atomic_numbers(&self) -> &[u8] {
        &self.atomic_numbers
    }

    /// Positions in angstrom, `[n, 3]`.
    pub fn positions(&self) -> &[[f64; 3]] {
        &self.positions
    }

    /// Bonds of the source, sorted, if it had any notion of them.
    pub fn bonds(&self) -> Option<&[Bond]> {
        self.bonds.as_deref()
    }

    /// Formal charges of the source, `[n]`, if it had any notion of them.
    pub fn formal_charges(&self) -> Option<&[i8]> {
        self.formal_charges.as_deref()
    }

    /// Mass numbers of the source, `[n]`, if it named any; 0 stands for an element as it occurs in nature.
    pub fn isotopes(&self) -> Option<&[u16]> {
        self.isotopes.as_deref()
    }

    /// Mass number of an atom; 0 where the source names none.
    pub fn mass_number(&self, atom: usize) -> u16 {
        self.isotopes.as_ref().and_then(|masses| masses.get(atom)).copied().unwrap_or(0)
    }

    /// The molecule without its hydrogens, with the bonds among the atoms that stay; `None` where nothing would be left.
    #[must_use]
    pub fn without_hydrogens(&self) -> Option<Self> {
        let kept: Vec<usize> = (0..self.len()).filter(|atom| self.atomic_numbers[*atom] != 1).collect();
        let mut place = vec![None; self.len()];
        kept.iter().enumerate().for_each(|(new, old)| place[*old] = Some(new));
        let among = |bond: &Bond| Some(Bond { first: place[bond.first]?, second: place[bond.second]?, ..*bond });
        (!kept.is_empty()).then(|| Self {
            name: self.name.clone(),
            atomic_numbers: kept.iter().map(|atom| self.atomic_numbers[*atom]).collect(),
            positions: kept.iter().map(|atom| self.positions[*atom]).collect(),
            bonds: self.bonds.as_ref().map(|bonds| bonds.iter().filter_map(among).collect()),
            formal_charges: self.formal_charges.as_ref().map(|charges| kept.iter().map(|atom| charges[*atom]).collect()),
            isotopes: self.isotopes.as_ref().map(|masses| kept.iter().map(|atom| masses[*atom]).collect()),
            properties: self.properties.clone(),
            index: self.index,
        })
    }

    /// Numbers that its source gives for it, by name, in the source's units.
    pub fn properties(&self) -> &BTreeMap<String, f64> {
        &self.properties
    }

    /// The source's own number of it, such as that of QM9's files.
    pub fn index(&self) -> Option<i32> {
        self.index
    }

    fn checked_bond(&self, number: usize, bond: Bond) -> Result<Bond, Fault> {
        let (first, second) = (bond.first.min(bond.second), bond.first.max(bond.second));
        if second >= self.len() {
            return Err(Fault::BondOutside { bond: number, atom: second + 1, atoms: self.len() });
        }
        if first == second {
            return Err(Fault::BondInvalid { bond: number, first: first + 1, second: second + 1, problem: "the same atom" });
        }
        Ok(Bond { first, second, ..bond })
    }
}

/// The invariant that molecules and sets of molecules share.
pub(crate) fn check_atoms<T: Copy + Into<f64>>(atomic_numbers: &[u8], positions: &[[T; 3]]) -> Result<(), Fault> {
    if atomic_numbers.is_empty() {
        return Err(Fault::Empty { what: "the molecule", unit: "atom" });
    }
    if atomic_numbers.len() != positions.len() {
        return Err(Fault::Length { what: "the list of positions", expected: atomic_numbers.len(), found: positions.len() });
    }
    for (atom, (z, position)) in atomic_numbers.iter().zip(positions).enumerate() {
        if element::symbol(*z).is_none() {
            return Err(Fault::UnknownElement { atom: atom + 1, text: z.to_string() });
        }
        for (axis, value) in ['x', 'y', 'z'].into_iter().zip(*position) {
            let value: f64 = value.into();
            if !value.is_finite() {
                return Err(Fault::NotFinite { atom: atom + 1, axis, value });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn water() -> Molecule {
        let positions = vec![[0.0; 3], [0.76, 0.59, 0.0], [-0.76, 0.59, 0.0]];
        Molecule::new("water", vec![8, 1, 1], positions).unwrap()
    }

    fn single(first: usize, second: usize) -> Bond {
        Bond { first, second, order: BondOrder::Single }
    }

    #[test]
    fn refuses_what_is_no_molecule() {
        let fault = |z: Vec<u8>, x| Molecule::new("m", z, x).unwrap_err().to_string();
        assert!(fault(vec![], vec![]).contains("empty"));
        assert!(fault(vec![1], vec![]).contains("0 entries and 1 are needed"));
        assert!(fault(vec![6, 119], vec![[0.0; 3]; 2]).contains("atom 2 has the unknown element"));
        let far = vec![[0.0, f64::INFINITY, 0.0]];
        assert!(fault(vec![6], far).contains("coordinate y of atom 1 is inf"));
    }

    #[test]
    fn hydrogens_go_with_their_bonds_and_the_rest_is_renumbered() {
        let ethanal = Molecule::new("m", vec![1, 6, 1, 8], (0..4).map(|x| [f64::from(x), 0.0, 0.0]).collect())
            .and_then(|m| m.with_bonds([single(0, 1), single(1, 2), single(1, 3)]))
            .and_then(|m| m.with_formal_charges(vec![0, 1, 0, -1]))
            .and_then(|m| m.with_isotopes(vec![2, 0, 0, 18]))
            .unwrap();
        let heavy = ethanal.without_hydrogens().unwrap();
        assert_eq!(
            (heavy.atomic_numbers(), heavy.bonds(), heavy.formal_charges()),
            (&[6, 8][..], Some(&[single(0, 1)][..]), Some(&[1, -1][..]))
        );
        assert_eq!((heavy.positions()[1], heavy.mass_number(0), heavy.mass_number(1)), ([3.0, 0.0, 0.0], 0, 18));
        assert!(Molecule::new("h", vec![1], vec![[0.0; 3]]).unwrap().without_hydrogens().is_none());
    }

    #[test]
    fn bonds_are_sorted_and_checked() {
        let bonded = water().with_bonds([single(2, 0), single(0, 1)]).unwrap();
        assert_eq!(bonded.bonds(), Some(&[single(0, 1), single(0, 2)][..]));
        assert!(water().with_bonds([single(0, 3)]).is_err());
        assert!(water().with_bonds([single(1, 1)]).is_err());
        assert!(water().with_bonds([single(0, 1), single(1, 0)]).is_err());
        assert!(water().with_formal_charges(vec![0]).is_err());
    }
}
