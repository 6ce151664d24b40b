//! Extended XYZ: the comment says what the columns are (`Properties=name:type:columns:…`) and carries numbers.
//!
//! Read: the columns `species` (or else `Z`), `pos` and `formal_charge`, the text `name`, and every number as a property of
//! the molecule. Cells and further columns are ignored.

use super::comment::{number_in, pairs};
use super::{Dialect, one_line};
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
    /// Whether a line may have more.
    pub(super) more: bool,
    /// Numbers in the comment.
    pub(super) numbers: Vec<(String, f64)>,
    /// Keys whose value is NaN or infinite.
    pub(super) not_finite: Vec<String>,
    extended: bool,
    name: Option<String>,
}

impl Columns {
    /// The layout that a comment describes; `symbol x y z` if it describes none.
    ///
    /// The comment of a plain file is its molecule's name unless it has the key `Properties`: a SMILES may look like a pair.
    pub(super) fn of(comment: &str, dialect: Dialect) -> Result<Self, Fault> {
        let mut columns = Self {
            species: 0,
            position: 1,
            charge: None,
            needed: 4,
            more: true,
            numbers: Vec::new(),
            not_finite: Vec::new(),
            extended: false,
            name: None,
        };
        let described = comment.to_ascii_lowercase().contains("properties");
        if dialect == Dialect::Plain && !described {
            return Ok(columns);
        }
        let read = match pairs(comment) {
            Ok(read) => read,
            Err(fault) if described => return Err(fault),
            Err(_) => return Ok(columns),
        };
        let is_layout = |key: &str| key.eq_ignore_ascii_case("Properties");
        columns.extended = match dialect {
            Dialect::Plain => read.iter().any(|(key, _)| is_layout(key)),
            Dialect::Extended => !read.is_empty(),
        };
        if !columns.extended {
            return Ok(columns);
        }
        for (key, value) in read {
            match number_in(&value) {
                _ if is_layout(&key) => columns.describe(&value)?,
                _ if key == "name" => columns.name = Some(value),
                Some(number) if number.is_finite() => columns.numbers.push((key, number)),
                Some(_) => columns.not_finite.push(key),
                None => {}
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
        let (mut species, mut number, mut position) = (None, None, None);
        let mut next = 0_usize;
        let words: Vec<&str> = properties.split(':').map(str::trim).collect();
        for field in words.chunks(3) {
            let &[name, _, width] = field else {
                return Err(wrong("name:type:columns"));
            };
            let width: usize = width.parse().ok().filter(|width| *width > 0).ok_or_else(|| wrong("a number of columns"))?;
            let slot = match (name, width) {
                ("species", 1) => Some(&mut species),
                ("Z", 1) => Some(&mut number),
                ("pos", 3) => Some(&mut position),
                ("formal_charge", 1) => Some(&mut self.charge),
                _ => None,
            };
            if slot.is_some_and(|slot| slot.replace(next).is_some()) {
                return Err(wrong("each column once"));
            }
            next = next.saturating_add(width);
        }
        self.species = species.or(number).ok_or_else(|| wrong("a column species:S:1"))?;
        self.position = position.ok_or_else(|| wrong("columns pos:R:3"))?;
        (self.needed, self.more) = (next, false);
        Ok(())
    }
}

/// Writes one frame with name, formal charges and properties.
pub fn write(out: &mut impl Write, molecule: &Molecule) -> std::io::Result<()> {
    let charges = molecule.formal_charges();
    let column = if charges.is_some() { ":formal_charge:I:1" } else { "" };
    let name = one_line(molecule.name()).replace('\\', "\\\\").replace('"', "\\\"");
    write!(out, "{}\nProperties=species:S:1:pos:R:3{column} name=\"{name}\"", molecule.len())?;
    for (key, value) in molecule.properties() {
        let key: String = key.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        write!(out, " {key}={value}")?;
    }
    writeln!(out)?;
    for (atom, z) in molecule.atomic_numbers().iter().enumerate() {
        let [x, y, w] = molecule.positions()[atom];
        write!(out, "{} {x} {y} {w}", element::written(*z, molecule.mass_number(atom)))?;
        match charges {
            Some(charges) => writeln!(out, " {}", charges[atom])?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Source, read_extended};
    use super::*;

    fn first(text: &str) -> crate::Result<Molecule> {
        read_extended(Source::from_bytes("m.extxyz", text.to_owned()).unwrap()).next().unwrap()
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
    fn blanks_around_the_equals_sign_and_other_writings_mean_the_same() {
        for properties in ["Properties = species:S:1:forces:R:3:pos:R:3", "properties=\"species:S:1:forces:R:3:pos:R:3\""] {
            let text = format!("2\nenergy = -1.5d0 {properties}\nH 0 0 0 0 0 0\nD 3 0 0 7.4d-1 0 0\n");
            let molecule = first(&text).unwrap();
            assert_eq!(molecule.positions(), [[0.0; 3], [0.74, 0.0, 0.0]], "{properties}");
            assert_eq!((molecule.properties()["energy"], molecule.atomic_numbers(), molecule.mass_number(1)), (-1.5, &[1, 1][..], 2));
        }
    }

    #[test]
    fn numbers_are_kept_without_a_layout_and_a_comment_without_pairs_is_a_name() {
        let molecule = first("1\nenergy=-1.5 pbc=\"F F F\" spin={3} bad=nan\nH 0 0 0\n").unwrap();
        assert_eq!((molecule.name(), molecule.properties().len()), ("1", 2));
        assert_eq!((molecule.properties()["energy"], molecule.properties()["spin"]), (-1.5, 3.0));
        assert_eq!(first("1\nwater, \"fresh\nH 0 0 0\n").unwrap().name(), "water, \"fresh");
    }

    #[test]
    fn the_element_is_a_symbol_or_a_number_and_a_symbol_first() {
        for (properties, row) in [
            ("species:S:1:pos:R:3:Z:I:1", "O 1 2 3 8"),
            ("Z:I:1:pos:R:3:species:S:1", "8 1 2 3 O"),
            ("Z:I:1:species:S:1:pos:R:3", "8 D 1 2 3"),
            ("Z:I:1:pos:R:3", "8 1 2 3"),
        ] {
            let molecule = first(&format!("1\nProperties={properties}\n{row}\n")).unwrap();
            let expected = if row.contains('D') { 1 } else { 8 };
            assert_eq!((molecule.atomic_numbers(), molecule.positions()), (&[expected][..], &[[1.0, 2.0, 3.0]][..]), "{properties}");
        }
    }

    #[test]
    fn a_layout_without_element_or_position_is_refused() {
        for properties in [
            "pos:R:3",
            "species:S:1",
            "species:S",
            "species:S:1:pos:R:x",
            "pos:R:2:species:S:1",
            "pos:R:3:species:S:1:pos:R:3",
            "pos:R:3:Z:I:1:Z:I:1",
            "a:I:0:pos:R:3",
        ] {
            let message = first(&format!("1\nProperties={properties}\nH 0 0 0\n")).unwrap_err().to_string();
            assert!(message.contains("line 2") && message.contains("species:S:1:pos:R:3"), "{message}");
        }
        let huge = format!("1\nProperties=x:R:{}:species:S:1:pos:R:3\nH 0 0 0\n", usize::MAX - 1);
        assert!(first(&huge).is_err());
    }

    #[test]
    fn a_line_has_the_columns_that_are_described() {
        for row in ["H 0 0 0 1", "H 0 0"] {
            let message = first(&format!("1\nProperties=species:S:1:pos:R:3\n{row}\n")).unwrap_err().to_string();
            assert!(message.contains("line 3"), "{message}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let molecule = Molecule::new("ammonium \"d\\", vec![7, 1], vec![[0.1, 0.2, 0.3], [1.0 / 3.0, 0.0, 0.0]])
            .and_then(|m| m.with_formal_charges(vec![1, -1]))
            .and_then(|m| m.with_isotopes(vec![0, 2]))
            .unwrap()
            .with_property("gap", 0.25);
        let mut text = Vec::new();
        write(&mut text, &molecule).unwrap();
        assert_eq!(first(std::str::from_utf8(&text).unwrap()).unwrap(), molecule);
    }
}
