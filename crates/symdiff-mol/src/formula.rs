//! Sum formulas.

use crate::element;
use crate::error::Fault;
use std::fmt;
use std::str::FromStr;

/// How many atoms of each element a molecule has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula {
    /// `(atomic number, atoms)` in the order in which they are written.
    counts: Vec<(u8, usize)>,
}

/// The most atoms of one element.
const MOST: usize = 10_000;

impl Formula {
    /// `(atomic number, atoms)`, as written.
    pub fn counts(&self) -> &[(u8, usize)] {
        &self.counts
    }

    /// The number of atoms.
    pub fn atoms(&self) -> usize {
        self.counts.iter().map(|(_, atoms)| atoms).sum()
    }

    /// The atomic number of each atom.
    pub fn atomic_numbers(&self) -> Vec<u8> {
        self.counts.iter().flat_map(|&(number, atoms)| std::iter::repeat_n(number, atoms)).collect()
    }
}

/// Symbols with their numbers, 1 where none follows.
///
/// ```
/// use symdiff_mol::Formula;
/// let formula: Formula = "C6H8O2".parse()?;
/// assert_eq!((formula.atoms(), formula.counts()), (16, &[(6, 6), (1, 8), (8, 2)][..]));
/// assert!("C6H8Xy".parse::<Formula>().is_err());
/// # Ok::<(), symdiff_mol::Fault>(())
/// ```
impl FromStr for Formula {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let wrong = |found: &str| {
            Fault::unexpected(
                "a sum formula of elements and numbers",
                found,
                "write symbols, each with its number of atoms, such as C6H8O2",
            )
        };
        let mut counts: Vec<(u8, usize)> = Vec::new();
        let mut left = text;
        while !left.is_empty() {
            let end = left.char_indices().skip(1).find(|(_, letter)| !letter.is_ascii_lowercase()).map_or(left.len(), |(place, _)| place);
            let (symbol, rest) = left.split_at(end);
            let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            let (number, rest) = rest.split_at(digits);
            let capital = symbol.starts_with(|letter: char| letter.is_ascii_uppercase());
            let element = element::atomic_number(symbol).filter(|_| capital).ok_or_else(|| wrong(text))?;
            let atoms = if number.is_empty() { Some(1) } else { number.parse().ok() };
            let atoms = atoms.filter(|atoms| (1..=MOST).contains(atoms)).ok_or_else(|| wrong(text))?;
            match counts.iter_mut().find(|(known, _)| *known == element) {
                Some((_, before)) => *before = (*before + atoms).min(MOST),
                None => counts.push((element, atoms)),
            }
            left = rest;
        }
        if counts.is_empty() { Err(wrong("nothing")) } else { Ok(Self { counts }) }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        self.counts.iter().try_for_each(|&(number, atoms)| {
            out.write_str(element::symbol_or_mark(number))?;
            if atoms > 1 { write!(out, "{atoms}") } else { Ok(()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_read_and_write() {
        for (text, atoms) in [("CH4", 5), ("C6H8O2", 16), ("HCl", 2), ("NaCl", 2), ("C10H22", 32)] {
            let formula: Formula = text.parse().unwrap();
            assert_eq!((formula.to_string().as_str(), formula.atoms(), formula.atomic_numbers().len()), (text, atoms, atoms));
        }
        assert_eq!("CH3CH3".parse::<Formula>().unwrap().to_string(), "C2H6");
        for wrong in ["", "6C", "c6", "C-1", "Xx2", "C0", "C99999999999999999999", "C6 H6", "é", "CÜ"] {
            assert!(wrong.parse::<Formula>().is_err(), "{wrong}");
        }
    }
}
