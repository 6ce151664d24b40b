//! V2000 connection tables: fixed columns.

use super::{END, Table, code, coordinate, order, place, whole};
use crate::element;
use crate::error::{Fault, Result};
use crate::formats::source::Source;
use crate::molecule::{Bond, Molecule};
use std::io::Write;

/// Reads what follows the counts line, up to `M  END` or, where that is missing, to what can only follow it.
pub(super) fn table(source: &mut Source, counts: &str) -> Result<Table> {
    let (atoms, bonds) = counted(counts).map_err(|fault| source.fault(fault))?;
    let mut table = Table::default();
    let mut masses_of_symbols = Vec::new();
    for number in 1..=atoms {
        let line = source.required_line("a record, among its atoms")?;
        let read = atom(number, line);
        let Atom { z, mass_of_symbol, mass, position, charge } = read.map_err(|fault| source.fault(fault))?;
        masses_of_symbols.push(mass_of_symbol);
        table.atomic_numbers.push(z);
        table.mass_numbers.push(mass);
        table.positions.push(position);
        table.charges.push(charge);
    }
    for number in 1..=bonds {
        let line = source.required_line("a record, among its bonds")?;
        let read = bond(number, atoms, line);
        table.bonds.push(read.map_err(|fault| source.fault(fault))?);
    }
    // Lists of atoms and text of substructure queries stand between bonds and properties.
    let lists =
        [(6, 1), (15, 2)].iter().map(|(from, lines)| counts.get(*from..from + 3).map_or(0, |n| n.trim().parse().unwrap_or(0) * lines));
    source.pass_lines(lists.sum::<usize>())?;
    properties(source, &mut table, &masses_of_symbols)?;
    Ok(table)
}

/// Reads the lines of properties.
fn properties(source: &mut Source, table: &mut Table, masses_of_symbols: &[u16]) -> Result<()> {
    let (mut charged, mut isotopes) = (false, false);
    loop {
        let line = source.required_line("a record, before its `M  END`")?.trim_end().to_owned();
        if line == "M  END" {
            return Ok(());
        }
        if line == END || line.starts_with('>') {
            source.step_back();
            return Ok(());
        }
        // Charges or radicals in properties stand for all those in atom lines.
        let electrons = line.starts_with("M  CHG") || line.starts_with("M  RAD");
        if electrons && !std::mem::replace(&mut charged, true) {
            table.charges.fill(0);
        }
        // Likewise isotopes stand for all mass differences in atom lines; the symbols D and T stay what they are.
        if line.starts_with("M  ISO") && !std::mem::replace(&mut isotopes, true) {
            table.mass_numbers.copy_from_slice(masses_of_symbols);
        }
        let read = match line.get(..6) {
            Some("M  CHG") => pairs(&line[6..], "a formal charge", &mut table.charges),
            Some("M  ISO") => pairs(&line[6..], "a mass number", &mut table.mass_numbers),
            _ if line.starts_with("A  ") || line.starts_with("G  ") => source.pass_lines(1).map(|()| Ok(()))?,
            _ if line.is_empty() || line.starts_with(['M', 'V', 'S']) => Ok(()),
            _ => {
                Err(Fault::unexpected("a line of properties or `M  END`", &line, "check the numbers of atoms and bonds in the counts line"))
            }
        };
        read.map_err(|fault| source.fault(fault))?;
    }
}

fn counted(counts: &str) -> Result<(usize, usize), Fault> {
    let field = |from: usize, what| {
        let text = counts.get(from..from + 3);
        whole(what, text.ok_or_else(|| Fault::unexpected("a counts line", counts, "write V2000"))?)
    };
    Ok((field(0, "a number of atoms")?, field(3, "a number of bonds")?))
}

/// An atom line.
struct Atom {
    z: u8,
    /// The mass number that the symbol says: that of `D` or `T`, else 0.
    mass_of_symbol: u16,
    /// The mass number that the line says.
    mass: u16,
    position: [f64; 3],
    charge: i8,
}

/// `xxxxx.xxxxyyyyy.yyyyzzzzz.zzzz aaaddcccs…`
fn atom(number: usize, line: &str) -> Result<Atom, Fault> {
    let short = || Fault::unexpected("an atom line", line, "write x y z in ten columns each, then the symbol");
    let mut position = [0.0; 3];
    for (axis, value) in position.iter_mut().enumerate() {
        let text = line.get(10 * axis..10 * axis + 10).ok_or_else(short)?;
        *value = coordinate(text, number, axis)?;
    }
    let text = line.get(30..line.len().min(34)).ok_or_else(short)?.trim();
    let (z, mass_of_symbol) = element::nuclide(text).ok_or_else(|| Fault::UnknownElement { atom: number, text: text.to_owned() })?;
    let mass = match line.get(34..36).map_or("", str::trim) {
        "" | "0" => mass_of_symbol,
        difference => element::mass_number_off(z, whole("a mass difference", difference)?)
            .ok_or_else(|| Fault::unexpected("a mass difference that leaves a nucleus", difference, "write M  ISO n a v instead"))?,
    };
    let charge = match line.get(36..39).map(str::trim) {
        Some("1") => 3,
        Some("2") => 2,
        Some("3") => 1,
        Some("5") => -1,
        Some("6") => -2,
        Some("7") => -3,
        _ => 0,
    };
    Ok(Atom { z, mass_of_symbol, mass, position, charge })
}

fn bond(number: usize, atoms: usize, line: &str) -> Result<Bond, Fault> {
    let field = |from: usize| {
        let remedy = "write both atoms and the type in three columns each";
        let text = line.get(from..from + 3);
        text.ok_or_else(|| Fault::unexpected("a bond line", line, remedy))
    };
    Ok(Bond {
        first: place(whole("an atom", field(0)?)?, number, atoms)?,
        second: place(whole("an atom", field(3)?)?, number, atoms)?,
        order: order(field(6)?.trim())?,
    })
}

/// `nn8 aaa vvv …`: pairs of atom and value.
fn pairs<T: std::str::FromStr>(list: &str, what: &'static str, values: &mut [T]) -> Result<(), Fault> {
    let words: Vec<&str> = list.split_whitespace().skip(1).collect();
    for pair in words.chunks(2) {
        let &[atom, value] = pair else {
            return Err(Fault::unexpected("pairs of atom and value", list, "write M  CHG n a v"));
        };
        let number: usize = whole("an atom", atom)?;
        let slot = number.checked_sub(1).and_then(|at| values.get_mut(at));
        let slot = slot.ok_or_else(|| Fault::unexpected("an atom of the molecule", atom, "mend the line of properties"))?;
        *slot = whole(what, value)?;
    }
    Ok(())
}

/// Whether three columns for counts and four decimals in ten columns are enough.
pub(super) fn fits(molecule: &Molecule, bonds: &[Bond]) -> bool {
    let range = -999.0..=9999.0;
    molecule.len() <= 999 && bonds.len() <= 999 && molecule.positions().iter().flatten().all(|value| range.contains(value))
}

pub(super) fn write(out: &mut impl Write, molecule: &Molecule, bonds: &[Bond]) -> std::io::Result<()> {
    writeln!(out, "{:>3}{:>3}  0  0  0  0  0  0  0  0999 V2000", molecule.len(), bonds.len())?;
    for (z, [x, y, w]) in molecule.atomic_numbers().iter().zip(molecule.positions()) {
        let symbol = element::symbol_or_mark(*z);
        writeln!(out, "{x:>10.4}{y:>10.4}{w:>10.4} {symbol:<3} 0  0  0  0  0  0  0  0  0  0  0  0")?;
    }
    for bond in bonds {
        writeln!(out, "{:>3}{:>3}{:>3}  0", bond.first + 1, bond.second + 1, code(bond.order))?;
    }
    let charges = molecule.formal_charges().unwrap_or_default();
    write_pairs(out, "CHG", charges.iter().map(|charge| i32::from(*charge)))?;
    write_pairs(out, "ISO", (0..molecule.len()).map(|atom| i32::from(molecule.mass_number(atom))))?;
    writeln!(out, "M  END")
}

/// Lines of pairs of atom and value, of the values that are not 0.
fn write_pairs(out: &mut impl Write, name: &str, values: impl Iterator<Item = i32>) -> std::io::Result<()> {
    let pairs: Vec<_> = (1..).zip(values).filter(|(_, value)| *value != 0).collect();
    for line in pairs.chunks(8) {
        write!(out, "M  {name}{:>3}", line.len())?;
        for (atom, value) in line {
            write!(out, " {atom:>3} {value:>3}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
