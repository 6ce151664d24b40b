//! What is asked of a sampling run: values of properties, sizes, parts of molecules.

use crate::{Error, Kept, Result};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use symdiff_mol::{Formula, Molecule};

/// What is asked of all molecules of a run; by default nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// Properties, each once.
    pub given: Vec<Given>,
    /// The numbers of atoms that molecules may have.
    pub atoms: Option<Atoms>,
    /// What is known of each molecule.
    pub part: Part,
    /// How often each step is taken where a part is known, so that the rest has time to agree with it; when absent [`Request::TURNS`], or 1 where the model is given atoms that are fixed (`data.fixed`).
    pub turns: Option<usize>,
}

/// What is known of each molecule of a run before it is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Part {
    /// Nothing.
    #[default]
    Nothing,
    /// The elements of all atoms.
    Formula(Formula),
    /// Some of the atoms, which stay where they are.
    Atoms(Kept),
    /// A structure that is to be varied: sampling begins from it with as much noise as this time has.
    Structure(Box<Molecule>, f64),
}

/// A property and its values. As text: `gap=6.5`, `gap=4..9`, `gap=data`.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The property.
    pub name: String,
    /// What each molecule is asked to have.
    pub value: Wanted,
}

/// Values of a property, in its unit in the training set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    /// This value, for all.
    Value(f64),
    /// Evenly spread values of a range: with n molecules, one in each of n equal parts of it.
    Range(f64, f64),
    /// Those that training molecules have, drawn together with the size and with all other properties that are drawn.
    Data,
}

/// A range of numbers of atoms, both ends included. As text: `18`, `12..20`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Atoms(pub RangeInclusive<usize>);

impl Request {
    /// The usual number of turns, of a model that was not trained on fixed atoms.
    pub const TURNS: usize = 4;
}

/// As [`FromStr`] reads it.
impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.value {
            Wanted::Value(value) => write!(f, "{name}={value}"),
            Wanted::Range(low, high) => write!(f, "{name}={low}..{high}"),
            Wanted::Data => write!(f, "{name}=data"),
        }
    }
}

impl FromStr for Given {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong =
            || Error::Request(format!("`{text}` asks for no property; write NAME=VALUE, NAME=LOW..HIGH or NAME=data, such as gap=6.5"));
        let (name, value) = text.split_once('=').filter(|(name, _)| !name.trim().is_empty()).ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(wrong);
        let value = match value.trim().split_once("..") {
            _ if value.trim() == "data" => Wanted::Data,
            None => Wanted::Value(number(value)?),
            Some((low, high)) => {
                let (low, high) = (number(low)?, number(high)?);
                if low > high {
                    return Err(Error::Request(format!("`{text}`: the range ends below its start; write the smaller number first")));
                }
                Wanted::Range(low, high)
            }
        };
        Ok(Self { name: name.trim().to_owned(), value })
    }
}

impl FromStr for Atoms {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|atoms| *atoms > 0);
        let ends = number(low).zip(number(high)).filter(|(low, high)| low <= high);
        let (low, high) = ends
            .ok_or_else(|| Error::Request(format!("`{text}` is no number of atoms; write one, such as 18, or a range, such as 12..20")))?;
        Ok(Self(low..=high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read() {
        let given = |text: &str| text.parse::<Given>().ok().map(|given| (given.name, given.value));
        assert_eq!(given("gap=6.5"), Some(("gap".into(), Wanted::Value(6.5))));
        assert_eq!(given("homo=-9.5..-4"), Some(("homo".into(), Wanted::Range(-9.5, -4.0))));
        assert_eq!(given(" mu = data "), Some(("mu".into(), Wanted::Data)));
        for text in ["gap=6.5", "homo=-9.5..-4", "mu=data"] {
            assert_eq!(text.parse::<Given>().map(|given| given.to_string()).ok().as_deref(), Some(text));
        }
        for wrong in ["gap", "=1", "gap=", "gap=nan", "gap=inf", "gap=1..nan", "gap=9..4", "gap=high"] {
            let told = wrong.parse::<Given>().map_err(|error| error.to_string()).err().unwrap_or_default();
            assert!(told.contains(wrong) && told.lines().count() == 1, "{wrong}: {told}");
        }
        let atoms = |text: &str| text.parse::<Atoms>().ok().map(|atoms| atoms.0);
        assert_eq!([atoms("18"), atoms("12..20")], [Some(18..=18), Some(12..=20)]);
        assert!(["0", "20..12", "-3", "many", "1.5"].into_iter().all(|wrong| atoms(wrong).is_none()));
    }
}
