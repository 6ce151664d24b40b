//! V3000 connection tables: words behind `M  V30`, free of columns and limits.

use super::{Table, code, coordinate, order, whole};
use crate::element;
use crate::error::{Fault, Result};
use crate::formats::source::Source;
use crate::molecule::{Bond, Molecule};
use std::collections::HashMap;
use std::io::Write;

const WHAT: &str = "a record, before its `M  END`";
const REMEDY: &str = "write a V3000 connection table";

/// Reads what follows the counts line, up to `M  END`.
pub(super) fn table(source: &mut Source) -> Result<Table> {
    let mut reader = Reader::default();
    loop {
        let Some(line) = logical_line(source)? else {
            break;
        };
        reader.line(&line).map_err(|fault| source.fault(fault))?;
    }
    reader.finish().map_err(|fault| source.fault(fault))
}

/// The words of the next line, continuations joined; `None` at `M  END`.
fn logical_line(source: &mut Source) -> Result<Option<String>> {
    let mut joined = String::new();
    loop {
        let line = source.required_line(WHAT)?.trim_end();
        if line == "M  END" {
            return Ok(None);
        }
        let Some(words) = line.strip_prefix("M  V30 ") else {
            let fault = Fault::unexpected("`M  V30 `", line, REMEDY);
            return Err(source.fault(fault));
        };
        let Some(continued) = words.strip_suffix('-') else {
            joined.push_str(words);
            return Ok(Some(joined));
        };
        joined.push_str(continued);
    }
}

#[derive(Default, PartialEq, Clone, Copy)]
enum Block {
    #[default]
    Outside,
    Atoms,
    Bonds,
}

#[derive(Default)]
struct Reader {
    block: Block,
    declared: Option<(usize, usize)>,
    /// Atom number in the file → place.
    places: HashMap<usize, usize>,
    table: Table,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), Fault> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["COUNTS", atoms, bonds, ..] => {
                let atoms = whole("a number of atoms", atoms)?;
                self.declared = Some((atoms, whole("a number of bonds", bonds)?));
            }
            ["BEGIN", "ATOM"] => self.block = Block::Atoms,
            ["BEGIN", "BOND"] => self.block = Block::Bonds,
            ["BEGIN" | "END", ..] => self.block = Block::Outside,
            words if self.block == Block::Atoms => self.atom(words)?,
            words if self.block == Block::Bonds => self.bond(words)?,
            _ => {}
        }
        Ok(())
    }

    fn atom(&mut self, words: &[&str]) -> Result<(), Fault> {
        let [index, symbol, x, y, z, _, options @ ..] = words else {
            let remedy = "write index, symbol, x, y, z and a mapping number";
            return Err(Fault::unexpected("an atom", &words.join(" "), remedy));
        };
        let table = &mut self.table;
        let number = table.positions.len() + 1;
        let (atomic_number, mass) =
            element::nuclide(symbol).ok_or_else(|| Fault::UnknownElement { atom: number, text: (*symbol).to_owned() })?;
        let mut position = [0.0; 3];
        for (axis, (value, text)) in position.iter_mut().zip([x, y, z]).enumerate() {
            *value = coordinate(text, number, axis)?;
        }
        let option = |name| options.iter().find_map(|option| option.strip_prefix(name));
        table.charges.push(option("CHG=").map_or(Ok(0), |charge| whole("a formal charge", charge))?);
        table.mass_numbers.push(option("MASS=").map_or(Ok(mass), |mass| whole("a mass number", mass))?);
        table.atomic_numbers.push(atomic_number);
        table.positions.push(position);
        self.places.insert(whole("an atom's index", index)?, number - 1);
        Ok(())
    }

    fn bond(&mut self, words: &[&str]) -> Result<(), Fault> {
        let [_, kind, first, second, ..] = words else {
            let remedy = "write index, type and both atoms";
            return Err(Fault::unexpected("a bond", &words.join(" "), remedy));
        };
        let number = self.table.bonds.len() + 1;
        let at = |word| -> Result<usize, Fault> {
            let index: usize = whole("an atom", word)?;
            let outside = Fault::BondOutside { bond: number, atom: index, atoms: self.table.positions.len() };
            self.places.get(&index).copied().ok_or(outside)
        };
        let (first, second) = (at(first)?, at(second)?);
        self.table.bonds.push(Bond { first, second, order: order(kind)? });
        Ok(())
    }

    fn finish(self) -> Result<Table, Fault> {
        let (atoms, bonds) = self.declared.ok_or_else(|| Fault::Missing { what: "line `M  V30 COUNTS`".to_owned(), remedy: REMEDY })?;
        for (what, expected, found) in [
            ("the atom block", atoms, self.table.positions.len()),
            ("the list of distinct atom indices", atoms, self.places.len()),
            ("the bond block", bonds, self.table.bonds.len()),
        ] {
            if expected != found {
                return Err(Fault::Length { what, expected, found });
            }
        }
        Ok(self.table)
    }
}

pub(super) fn write(out: &mut impl Write, molecule: &Molecule, bonds: &[Bond]) -> std::io::Result<()> {
    writeln!(out, "  0  0  0     0  0            999 V3000\nM  V30 BEGIN CTAB")?;
    writeln!(out, "M  V30 COUNTS {} {} 0 0 0\nM  V30 BEGIN ATOM", molecule.len(), bonds.len())?;
    for (atom, z) in molecule.atomic_numbers().iter().enumerate() {
        let [x, y, w] = molecule.positions()[atom];
        write!(out, "M  V30 {} {} {x} {y} {w} 0", atom + 1, element::symbol_or_mark(*z))?;
        if let Some(charge) = molecule.formal_charges().map(|charges| charges[atom]).filter(|charge| *charge != 0) {
            write!(out, " CHG={charge}")?;
        }
        match molecule.mass_number(atom) {
            0 => writeln!(out)?,
            mass => writeln!(out, " MASS={mass}")?,
        }
    }
    writeln!(out, "M  V30 END ATOM")?;
    if !bonds.is_empty() {
        writeln!(out, "M  V30 BEGIN BOND")?;
        for (bond, number) in bonds.iter().zip(1..) {
            let (first, second) = (bond.first + 1, bond.second + 1);
            writeln!(out, "M  V30 {number} {} {first} {second}", code(bond.order))?;
        }
        writeln!(out, "M  V30 END BOND")?;
    }
    writeln!(out, "M  V30 END CTAB\nM  END")
}
