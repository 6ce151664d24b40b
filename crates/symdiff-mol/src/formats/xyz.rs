//! XYZ and extended XYZ: frames of an atom count, a comment, and a line for each atom, in angstrom.
//!
//! The comment of a plain frame is the molecule's name and its lines read `symbol x y z`, further columns ignored. A
//! comment with `Properties=` makes the frame an extended one, whose columns and numbers it describes (`extended`).

mod comment;
mod extended;

use super::source::Source;
use super::stream::{Next, Report, Stream};
use super::{number, qm9};
use crate::element;
use crate::error::{Fault, Result};
use crate::molecule::Molecule;
use extended::Columns;
use std::io::Write;

pub use extended::write as write_extended;

/// How comments are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// A name, unless the comment has the key `Properties`.
    Plain,
    /// Pairs of keys and values, where it has any.
    Extended,
}

/// Reads frames one by one. QM9's files, alone or one after the other, are read with their properties.
pub fn read(source: Source) -> impl Iterator<Item = Result<Molecule>> + Send {
    stream(source, Dialect::Plain, None)
}

/// [`read`], with pairs of keys and values in comments even where no layout is described.
pub fn read_extended(source: Source) -> impl Iterator<Item = Result<Molecule>> + Send {
    stream(source, Dialect::Extended, None)
}

pub(crate) fn stream(source: Source, dialect: Dialect, skipping: Option<Report>) -> impl Iterator<Item = Result<Molecule>> + Send {
    Stream::new(Frames { source, dialect, read: 0, left: None, warned: false }, skipping)
}

struct Frames {
    source: Source,
    dialect: Dialect,
    /// Frames so far.
    read: u64,
    /// Lines of the frame that are still to come; `None` where that is not known.
    left: Option<usize>,
    warned: bool,
}

/// The atoms of a frame as they are read.
#[derive(Default)]
struct Atoms {
    atomic_numbers: Vec<u8>,
    mass_numbers: Vec<u16>,
    positions: Vec<[f64; 3]>,
    charges: Vec<i8>,
}

/// One line of them.
struct Atom {
    atomic_number: u8,
    mass_number: u16,
    position: [f64; 3],
    charge: i8,
}

impl Next for Frames {
    fn next_molecule(&mut self) -> Result<Option<Molecule>> {
        self.left = None;
        let Some(count) = self.count()? else {
            return Ok(None);
        };
        self.read += 1;
        let start = self.source.line();
        self.left = Some(count);
        let comment = self.source.required_line("a frame, after its atom count")?.trim().to_owned();
        let columns = Columns::of(&comment, self.dialect).map_err(|fault| self.source.fault(fault))?;
        let mut atoms = Atoms::default();
        for atom in 1..=count {
            self.left = Some(count - atom);
            self.atom(atom, count, &columns, &mut atoms)?;
        }
        let of_qm9 = qm9::properties(&comment).ok();
        let frequency = if of_qm9.is_some() { self.rest_of_qm9_file()? } else { None };
        self.warn(&columns);
        let name = columns.name(&comment).unwrap_or_else(|| self.read.to_string());
        let mut molecule = Molecule::new(name, atoms.atomic_numbers, atoms.positions).and_then(|m| m.with_isotopes(atoms.mass_numbers));
        if columns.charge.is_some() {
            molecule = molecule.and_then(|molecule| molecule.with_formal_charges(atoms.charges));
        }
        let molecule = molecule.map_err(|fault| self.source.fault_at(start, fault))?;
        if let Some((index, numbers)) = of_qm9 {
            return Ok(Some(qm9::named(molecule, index, numbers, frequency)));
        }
        Ok(Some(columns.numbers.into_iter().fold(molecule, |m, (key, value)| m.with_property(key, value))))
    }

    fn recover(&mut self) -> Result<bool> {
        match self.left.take() {
            Some(lines) => self.source.pass_lines(lines).map(|()| true),
            None => Ok(false),
        }
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
        let read = read.map_err(|fault| self.source.fault(fault))?;
        if cut && !self.source.line_was_ended() {
            let what = "the last number, or lacks its final line end".to_owned();
            return Err(self.source.truncated(what));
        }
        atoms.atomic_numbers.push(read.atomic_number);
        atoms.mass_numbers.push(read.mass_number);
        atoms.positions.push(read.position);
        atoms.charges.push(read.charge);
        Ok(())
    }

    /// The largest of the frequencies, which with SMILES and InChI follow the atoms in QM9's own files, but not where such a file was converted.
    fn rest_of_qm9_file(&mut self) -> Result<Option<f64>> {
        let Some(line) = self.source.next_line()? else {
            return Ok(None);
        };
        if line.trim().is_empty() || line.trim().parse::<usize>().is_ok() {
            self.source.step_back();
            return Ok(None);
        }
        let frequency = qm9::largest_frequency(line);
        let frequency = frequency.map_err(|fault| self.source.fault(fault))?;
        self.source.required_line("a file of QM9, before its SMILES")?;
        self.source.required_line("a file of QM9, before its InChI")?;
        Ok(frequency)
    }

    /// Says once that numbers which are none are left out.
    fn warn(&mut self, columns: &Columns) {
        if let Some(key) = columns.not_finite.first().filter(|_| !std::mem::replace(&mut self.warned, true)) {
            let fault = Fault::unexpected("finite numbers in comments", key, "such values are left out");
            tracing::warn!("{}", self.source.fault(fault));
        }
    }
}

/// Element, position and formal charge of a line.
fn atom_line(atom: usize, line: &str, columns: &Columns) -> Result<Atom, Fault> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.len() < columns.needed || (words.len() > columns.needed && !columns.more) {
        return Err(if columns.more {
            Fault::unexpected("an element and three coordinates", line, "write `symbol x y z`, or check the atom count above")
        } else {
            Fault::unexpected("the columns that Properties describes", line, "mend the line or the description")
        });
    }
    let symbol = words[columns.species];
    let unknown = || Fault::UnknownElement { atom, text: symbol.to_owned() };
    let (atomic_number, mass_number) = element::nuclide(symbol).ok_or_else(unknown)?;
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
    Ok(Atom { atomic_number, mass_number, position, charge })
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
    for (atom, (z, [x, y, w])) in molecule.atomic_numbers().iter().zip(molecule.positions()).enumerate() {
        writeln!(out, "{} {x} {y} {w}", element::written(*z, molecule.mass_number(atom)))?;
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
    fn files_of_qm9_come_with_their_properties_alone_one_after_the_other_and_converted() {
        let numbers = (1..=15).map(|n| format!("{n}.5")).collect::<Vec<_>>().join("\t");
        let atoms = format!("2\ngdb 7\t{numbers}\t\nO\t0.0\t0.0\t1.0*^-6\t-0.3\nH\t0.96\t0.0\t0.0\t0.3\n");
        let whole = format!("{atoms}1600.5\t3700.1\nO\tO\t\nInChI=1S/HO\tInChI=1S/HO\n");
        for text in [whole.clone(), whole.repeat(2), atoms.repeat(3), format!("{atoms}\n\n")] {
            for molecule in frames(&text).into_iter().map(Result::unwrap) {
                assert_eq!((molecule.name(), molecule.index(), molecule.len()), ("gdb 7", Some(7), 2));
                let (properties, frequency) = (molecule.properties(), text.contains("3700.1").then_some(3700.1));
                assert_eq!((properties["A"], properties["Cv"], properties.get("omega1").copied()), (1.5, 15.5, frequency));
                assert_eq!(molecule.positions()[0][2], 1e-6);
            }
        }
        assert_eq!(frames(&whole.repeat(2)).len(), 2);
        let cut = frames(&whole[..whole.find("InChI").unwrap()]).pop().unwrap().unwrap_err().to_string();
        assert!(cut.contains("before its InChI"), "{cut}");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_number_and_heavy_hydrogen_is_kept() {
        let molecule = frames("\u{feff}2\nc\nD 0 0 0\nT 7.4d-1 0 0\n").remove(0).unwrap();
        assert_eq!((molecule.atomic_numbers(), molecule.mass_number(0), molecule.mass_number(1)), (&[1, 1][..], 2, 3));
        let mut text = Vec::new();
        write(&mut text, &molecule).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "2\nc\nD 0 0 0\nT 0.74 0 0\n");
    }

    #[test]
    fn bad_frames_are_skipped_where_the_count_shows_their_end() {
        let text = "1\na\nH 0 0 0\n2\nb\nXx 0 0 0\nH 0 0 0\n1\nc\nH nan 0 0\n1\nd\nO 0 0 0\n";
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let kept = std::sync::Arc::clone(&seen);
        let report: Report = Box::new(move |error| kept.lock().unwrap().push(error.to_string()));
        let source = Source::from_bytes("m.xyz", text).unwrap();
        let names: Vec<_> = stream(source, Dialect::Plain, Some(report)).map(|m| m.unwrap().name().to_owned()).collect();
        assert_eq!(names, ["a", "d"]);
        assert!(seen.lock().unwrap()[0].starts_with("m.xyz, line 6: atom 1") && seen.lock().unwrap().len() == 2);
    }

    #[test]
    fn a_comment_that_is_no_text_costs_its_own_frame_alone() {
        let text = b"1\n\xff\nH 0 0 0\n1\nb\nO 0 0 0\n".to_vec();
        let names = |bytes: Vec<u8>| -> Vec<_> {
            let source = Source::from_bytes("m.xyz", bytes).unwrap();
            stream(source, Dialect::Plain, Some(Box::new(|_| {}))).map(|m| m.unwrap().name().to_owned()).collect()
        };
        assert_eq!(names(text), ["b"]);
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
