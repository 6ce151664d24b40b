//! XYZ: frames of an atom count, a comment, and a line `symbol x y z` for each atom, in angstrom.

use super::number;
use super::source::Source;
use crate::element;
use crate::error::{Fault, Result};
use crate::molecule::Molecule;
use std::io::Write;

/// Reads frames one by one; the comment becomes the name.
pub struct Reader {
    source: Source,
    frames: u64,
    failed: bool,
}

impl Reader {
    /// A reader of all frames of a source.
    pub fn new(source: Source) -> Self {
        Self { source, frames: 0, failed: false }
    }

    fn frame(&mut self) -> Result<Option<Molecule>> {
        let Some(count) = self.count()? else {
            return Ok(None);
        };
        self.frames += 1;
        let start = self.source.line();
        let name = match self.source.next_line()? {
            Some("") => self.frames.to_string(),
            Some(comment) => comment.trim().to_owned(),
            None => return Err(self.source.truncated("a frame, after its atom count".to_owned())),
        };
        let (mut atomic_numbers, mut positions) = (Vec::new(), Vec::new());
        for atom in 1..=count {
            let Some(line) = self.source.next_line()? else {
                let what = format!("a frame, after {} of its {count} atoms", atom - 1);
                return Err(self.source.truncated(what));
            };
            let (atom, cut) = (atom_line(atom, line), shorter_at_the_end(line));
            let (z, position) = atom.map_err(|fault| self.source.fault(fault))?;
            if cut && !self.source.line_was_ended() {
                let what = "the last number, or lacks its final line end".to_owned();
                return Err(self.source.truncated(what));
            }
            atomic_numbers.push(z);
            positions.push(position);
        }
        Molecule::new(name, atomic_numbers, positions).map(Some).map_err(|fault| self.source.fault_at(start, fault))
    }

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
}

impl Iterator for Reader {
    type Item = Result<Molecule>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let frame = self.frame().transpose();
        self.failed = matches!(frame, Some(Err(_)));
        frame
    }
}

/// `symbol x y z`, further columns ignored.
fn atom_line(atom: usize, line: &str) -> Result<(u8, [f64; 3]), Fault> {
    let mut words = line.split_whitespace();
    let symbol = words.next().unwrap_or_default();
    if symbol.is_empty() {
        return Err(Fault::unexpected("`symbol x y z`", line, "check the atom count above"));
    }
    let z = element::atomic_number(symbol).ok_or_else(|| Fault::UnknownElement { atom, text: symbol.to_owned() })?;
    let mut position = [0.0; 3];
    for (value, axis) in position.iter_mut().zip(["x", "y", "z"]) {
        let word = words.next().ok_or_else(|| Fault::unexpected("`symbol x y z`", line, "write three coordinates"))?;
        *value = number::parse("a coordinate", word)?;
        if !value.is_finite() {
            let axis = axis.chars().next().unwrap_or('x');
            return Err(Fault::NotFinite { atom, axis, value: *value });
        }
    }
    Ok((z, position))
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
    let name: String = molecule.name().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    writeln!(out, "{}\n{name}", molecule.len())?;
    for (z, [x, y, w]) in molecule.atomic_numbers().iter().zip(molecule.positions()) {
        writeln!(out, "{} {x} {y} {w}", element::symbol_or_mark(*z))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<Molecule>> {
        Reader::new(Source::from_bytes("m.xyz", text.to_owned())).collect()
    }

    fn error(text: &str) -> String {
        let last = read(text).pop().unwrap();
        last.unwrap_err().to_string()
    }

    #[test]
    fn reads_frames_with_names_numbers_and_blank_lines() {
        let text = "2\nhydrogen\nH 0 0 0\nH 0.74 0 0\n\n1\n\n 8  1e-3 6.1*^-6 -2 extra\r\n\n";
        let frames: Vec<_> = read(text).into_iter().map(Result::unwrap).collect();
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
            ("1\nc\nH 0 0\n", "write three coordinates"),
            ("1\nc\nH 0 0 0\nH 0 0 0\n", "m.xyz, line 4: expected an atom count, found `H 0 0 0`"),
            ("1\nc\nH 0.11 0.22 0.3", "m.xyz, line 3: the file ends in the middle of the last number"),
            ("-3\nc\n", "expected an atom count, found `-3`"),
        ] {
            let message = error(text);
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let positions = vec![[0.1 + 0.2, -1e-7, 1.0 / 3.0], [1e8, 0.0, -0.0]];
        let molecule = Molecule::new("a name", vec![35, 1], positions).unwrap();
        let mut text = Vec::new();
        write(&mut text, &molecule).unwrap();
        let back = Reader::new(Source::from_bytes("m.xyz", text)).next().unwrap().unwrap();
        assert_eq!(back, molecule);
    }
}
