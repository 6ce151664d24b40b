//! Extended XYZ: the comment is `key=value` pairs, among them `Properties=name:type:columns:...`.
//!
//! Read: the columns `species` (or `Z`), `pos` and `formal_charge`, the text `name`, and every number as a property of
//! the molecule. Cells and further columns are ignored.

use super::one_line;
use crate::element;
use crate::error::Fault;
use crate::molecule::Molecule;
use std::io::Write;

/// Where the fields of an atom line are, and what else the comment says.
pub(super) struct Columns {
    /// Column of the element.
    pub(super) species: usize,
    /// First of three columns.
    pub(super) position: usize,
    /// Column of the formal charge, if there is one.
    pub(super) charge: Option<usize>,
    /// Columns that a line must have.
    pub(super) needed: usize,
    /// Numbers in the comment.
    pub(super) numbers: Vec<(String, f64)>,
    extended: bool,
    name: Option<String>,
}

impl Columns {
    /// The layout that a comment describes; `symbol x y z` if it describes none.
    pub(super) fn of(comment: &str) -> Result<Self, Fault> {
        let mut columns = Self { species: 0, position: 1, charge: None, needed: 4, numbers: Vec::new(), extended: false, name: None };
        if !comment.contains("Properties=") {
            return Ok(columns);
        }
        columns.extended = true;
        for (key, value) in pairs(comment) {
            match key {
                "Properties" => columns.describe(value)?,
                "name" => columns.name = Some(value.to_owned()),
                _ => {
                    if let Some(number) = value.parse().ok().filter(|number: &f64| number.is_finite()) {
                        columns.numbers.push((key.to_owned(), number));
                    }
                }
            }
        }
        Ok(columns)
    }

    /// The name of a frame with this comment; `None` if it has none.
    pub(super) fn name(&self, comment: &str) -> Option<String> {
        if self.extended {
            return self.name.clone();
        }
        (!comment.is_empty()).then(|| comment.to_owned())
    }

    fn describe(&mut self, properties: &str) -> Result<(), Fault> {
        let wrong = |expected| Fault::unexpected(expected, properties, "write Properties=species:S:1:pos:R:3");
        let (mut species, mut position) = (None, None);
        let mut next = 0_usize;
        let words: Vec<&str> = properties.split(':').collect();
        for field in words.chunks(3) {
            let &[name, _, width] = field else {
                return Err(wrong("name:type:columns"));
            };
            let width: usize = width.parse().map_err(|_| wrong("a number of columns"))?;
            match (name, width) {
                ("species" | "Z", 1) => species = Some(next),
                ("pos", 3) => position = Some(next),
                ("formal_charge", 1) => self.charge = Some(next),
                _ => {}
            }
            next = next.saturating_add(width);
        }
        self.species = species.ok_or_else(|| wrong("a column species:S:1"))?;
        self.position = position.ok_or_else(|| wrong("columns pos:R:3"))?;
        let last = [self.species, self.position.saturating_add(2), self.charge.unwrap_or(0)];
        self.needed = last.into_iter().max().unwrap_or(0).saturating_add(1);
        Ok(())
    }
}

/// `key=value` pairs; values may stand in double quotes.
fn pairs(comment: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = comment;
    std::iter::from_fn(move || {
        let (key, after) = rest.trim_start().split_once('=')?;
        let key = key.rsplit(char::is_whitespace).next().unwrap_or(key);
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        rest = after;
        Some((key, value))
    })
}

/// Writes one frame with name, formal charges and properties.
pub fn write(out: &mut impl Write, molecule: &Molecule) -> std::io::Result<()> {
    let charges = molecule.formal_charges();
    let column = if charges.is_some() { ":formal_charge:I:1" } else { "" };
    let name = one_line(molecule.name()).replace('"', "'");
    write!(out, "{}\nProperties=species:S:1:pos:R:3{column} name=\"{name}\"", molecule.len())?;
    for (key, value) in molecule.properties() {
        let key: String = key.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        write!(out, " {key}={value}")?;
    }
    writeln!(out)?;
    for (atom, z) in molecule.atomic_numbers().iter().enumerate() {
        let [x, y, w] = molecule.positions()[atom];
        write!(out, "{} {x} {y} {w}", element::symbol_or_mark(*z))?;
        match charges {
            Some(charges) => writeln!(out, " {}", charges[atom])?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Source, read};
    use super::*;

    fn first(text: &str) -> crate::Result<Molecule> {
        read(Source::from_bytes("m.extxyz", text.to_owned()).unwrap()).next().unwrap()
    }

    #[test]
    fn columns_may_stand_in_any_order() {
        let text =
            "1\nLattice=\"1 0 0 0 1 0 0 0 1\" energy=-1.5 pbc=F Properties=forces:R:3:pos:R:3:species:S:1 name=\"a b\"\n9 9 9 1 2 3 O\n";
        let molecule = first(text).unwrap();
        assert_eq!((molecule.name(), molecule.atomic_numbers()), ("a b", &[8][..]));
        assert_eq!(molecule.positions(), [[1.0, 2.0, 3.0]]);
        assert_eq!(molecule.properties().get("energy"), Some(&-1.5));
    }

    #[test]
    fn a_layout_without_element_or_position_is_refused() {
        for properties in ["pos:R:3", "species:S:1", "species:S", "species:S:1:pos:R:x", "pos:R:2:species:S:1"] {
            let message = first(&format!("1\nProperties={properties}\nH 0 0 0\n")).unwrap_err().to_string();
            assert!(message.contains("line 2") && message.contains("species:S:1:pos:R:3"), "{message}");
        }
        let huge = format!("1\nProperties=x:R:{}:species:S:1:pos:R:3\nH 0 0 0\n", usize::MAX - 1);
        assert!(first(&huge).is_err());
    }

    #[test]
    fn what_is_written_reads_back() {
        let molecule = Molecule::new("ammonium", vec![7, 1], vec![[0.1, 0.2, 0.3], [1.0 / 3.0, 0.0, 0.0]])
            .and_then(|m| m.with_formal_charges(vec![1, -1]))
            .unwrap()
            .with_property("gap", 0.25);
        let mut text = Vec::new();
        write(&mut text, &molecule).unwrap();
        assert_eq!(first(std::str::from_utf8(&text).unwrap()).unwrap(), molecule);
    }
}
