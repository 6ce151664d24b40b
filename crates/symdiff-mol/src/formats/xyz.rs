//! XYZ and extended XYZ: frames of an atom count, a comment, and a line for each atom, in angstrom.
//!
//! The comment of a plain frame is the molecule's name and its lines read `symbol x y z`, further columns ignored. A
//! comment with `Properties=` makes the frame an extended one, whose columns and numbers it describes (`extended`).

mod extended;

use super::number;
use super::source::Source;
use super::stream::{Next, Stream};
use crate::element;
use crate::error::{Fault, Result};
use crate::molecule::Molecule;
use extended::Columns;
use std::io::Write;

pub use extended::write as write_extended;

/// Reads frames one by one.
pub fn read(source: Source) -> impl Iterator<Item = Result<Molecule>> + Send {
    Stream::new(Frames { source, frames: 0 })
}

struct Frames {
    source: Source,
    frames: u64,
}

/// The atoms of a frame as they are read.
#[derive(Default)]
struct Atoms {
    atomic_numbers: Vec<u8>,
    positions: Vec<[f64; 3]>,
    charges: Vec<i8>,
}

impl Next for Frames {
    fn next_molecule(&mut self) -> Result<Option<Molecule>> {
        let Some(count) = self.count()? else {
            return Ok(None);
        };
        self.frames += 1;
        let start = self.source.line();
        let comment = self.source.required_line("a frame, after its atom count")?.trim().to_owned();
        let columns = Columns::of(&comment).map_err(|fault| self.source.fault(fault))?;
        let mut atoms = Atoms::default();
        for atom in 1..=count {
            self.atom(atom, count, &columns, &mut atoms)?;
        }
        let name = columns.name(&comment).unwrap_or_else(|| self.frames.to_string());
        let mut molecule = Molecule::new(name, atoms.atomic_numbers, atoms.positions);
        if columns.charge.is_some() {
            molecule = molecule.and_then(|molecule| molecule.with_formal_charges(atoms.charges));
        }
        let molecule = molecule.map_err(|fault| self.source.fault_at(start, fault))?;
        Ok(Some(columns.numbers.into_iter().fold(molecule, |m, (key, value)| m.with_property(key, value))))
    }
}

impl Frames {
    /// The atom count of the next frame; `None` when only blank lines are left.
    fn count(&mut self) -> Result<Option<usize>> {
        loop {
            let Some(line) = self.source.next_line()? else {
                return Ok(None);
            };
            let text = line.trim();
            if text.is_empty() {
                continue;
            }
            let count = text
                .parse()
                .map_err(|_| Fault::unexpected("an atom count", text, "check that the frame before has as many atom lines as it says"));
            return count.map(Some).map_err(|fault| self.source.fault(fault));
        }
    }

    fn atom(&mut self, atom: usize, count: usize, columns: &Columns, atoms: &mut Atoms) -> Result<()> {
        let Some(line) = self.source.next_line()? else {
            let what = format!("a frame, after {} of its {count} atoms", atom - 1);
            return Err(self.source.truncated(what));
        };
        let (read, cut) = (atom_line(atom, line, columns), shorter_at_the_end(line));
        let (z, position, charge) = read.map_err(|fault| self.source.fault(fault))?;
        if cut && !self.source.line_was_ended() {
            let what = "the last number, or lacks its final line end".to_owned();
            return Err(self.source.truncated(what));
        }
        atoms.atomic_numbers.push(z);
        atoms.positions.push(position);
        atoms.charges.push(charge);
        Ok(())
    }
}

/// Element, position and formal charge of a line.
fn atom_line(atom: usize, line: &str, columns: &Columns) -> Result<(u8, [f64; 3], i8), Fault> {
    let words: Vec<&str> = line.split_whitespace().take(columns.needed).collect();
    if words.len() < columns.needed {
        return Err(Fault::unexpected("an element and three coordinates", line, "write `symbol x y z`, or check the atom count above"));
    }
    let symbol = words[columns.species];
    let z = element::atomic_number(symbol).ok_or_else(|| Fault::UnknownElement { atom, text: symbol.to_owned() })?;
    let mut position = [0.0; 3];
    for (axis, (value, word)) in position.iter_mut().zip(&words[columns.position..]).enumerate() {
        *value = number::parse("a coordinate", word)?;
        if !value.is_finite() {
            return Err(Fault::NotFinite { atom, axis: ['x', 'y', 'z'][axis], value: *value });
        }
    }
    let charge = columns.charge.map_or(Ok(0), |column| {
        let wrong = |_| Fault::unexpected("a formal charge", words[column], "write a whole number");
        words[column].parse().map_err(wrong)
    })?;
    Ok((z, position, charge))
}

/// Whether the last word has fewer decimals than the two before it: without a line end after it, it was cut.
fn shorter_at_the_end(line: &str) -> bool {
    let decimals = |word: &str| word.split_once('.').map_or(0, |(_, digits)| digits.len());
    let mut last = line.split_whitespace().rev().map(decimals);
    let shortest = last.next();
    last.take(2).all(|before| Some(before) > shortest)
}

/// Writes one frame with the shortest decimals that read back as the same numbers.
pub fn write(out: &mut impl Write, molecule: &Molecule) -> std::io::Result<()> {
    writeln!(out, "{}\n{}", molecule.len(), one_line(molecule.name()))?;
    for (z, [x, y, w]) in molecule.atomic_numbers().iter().zip(molecule.positions()) {
        writeln!(out, "{} {x} {y} {w}", element::symbol_or_mark(*z))?;
    }
    Ok(())
}

/// Text without line ends, for comments and titles.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(text: &str) -> Vec<Result<Molecule>> {
        read(Source::from_bytes("m.xyz", text.to_owned()).unwrap()).collect()
    }

    #[test]
    fn reads_frames_with_names_numbers_and_blank_lines() {
        let text = "2\nhydrogen\nH 0 0 0\nH 0.74 0 0\n\n1\n\n 8  1e-3 6.1*^-6 -2 extra\r\n\n";
        let frames: Vec<_> = frames(text).into_iter().map(Result::unwrap).collect();
        assert_eq!(frames[0].name(), "hydrogen");
        assert_eq!(frames[0].positions()[1], [0.74, 0.0, 0.0]);
        assert_eq!((frames[1].name(), frames[1].atomic_numbers()), ("2", &[8][..]));
        assert_eq!(frames[1].positions()[0], [1e-3, 6.1e-6, -2.0]);
    }

    #[test]
    fn faults_name_file_line_and_remedy() {
        for (text, expected) in [
            ("2\nc\nH 0 0 0\n", "m.xyz, line 4: the file ends in the middle of a frame, after 1 of its 2"),
            ("1\n", "m.xyz, line 2: the file ends in the middle of a frame, after its atom count"),
            ("0\nc\n", "m.xyz, line 1: the molecule is empty"),
            ("1\nc\nXx 0 0 0\n", "m.xyz, line 3: atom 1 has the unknown element `Xx`"),
            ("1\nc\nH 0 nan 0\n", "m.xyz, line 3: coordinate y of atom 1 is NaN"),
            ("1\nc\nH 0 0\n", "write `symbol x y z`"),
            ("1\nc\n\n", "check the atom count above"),
            ("1\nc\nH 0 0 0\nH 0 0 0\n", "m.xyz, line 4: expected an atom count, found `H 0 0 0`"),
            ("1\nc\nH 0.11 0.22 0.3", "m.xyz, line 3: the file ends in the middle of the last number"),
            ("-3\nc\n", "expected an atom count, found `-3`"),
        ] {
            let message = frames(text).pop().unwrap().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let positions = vec![[0.1 + 0.2, -1e-7, 1.0 / 3.0], [1e8, 0.0, -0.0]];
        let molecule = Molecule::new("a name", vec![35, 1], positions).unwrap();
        let mut text = Vec::new();
        write(&mut text, &molecule).unwrap();
        let back = read(Source::from_bytes("m.xyz", text).unwrap()).next().unwrap().unwrap();
        assert_eq!(back, molecule);
    }
}
