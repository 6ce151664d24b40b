//! JSON lines: an object `{"id": "...", "z": [...], "xyz": [[x, y, z], ...]}` a line, in angstrom.
//!
//! Other keys are ignored, so labelled cases read as molecules.

use super::source::Source;
use super::stream::{Next, Report, Stream};
use crate::error::{Fault, Result};
use crate::molecule::Molecule;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::Write;

#[derive(Serialize, Deserialize)]
struct Row<'a> {
    #[serde(default, borrow)]
    id: Option<Cow<'a, str>>,
    z: Cow<'a, [u8]>,
    xyz: Cow<'a, [[f64; 3]]>,
}

/// Reads one molecule a line; blank lines are skipped.
pub fn read(source: Source) -> impl Iterator<Item = Result<Molecule>> + Send {
    stream(source, None)
}

pub(crate) fn stream(source: Source, skipping: Option<Report>) -> impl Iterator<Item = Result<Molecule>> + Send {
    Stream::new(Lines(source), skipping)
}

struct Lines(Source);

impl Next for Lines {
    fn next_molecule(&mut self) -> Result<Option<Molecule>> {
        let Self(source) = self;
        loop {
            let Some(line) = source.next_line()? else {
                return Ok(None);
            };
            if line.trim().is_empty() {
                continue;
            }
            let molecule = parse(line);
            let line = source.line();
            return molecule
                .map(|(id, molecule)| Some(molecule.renamed(id.unwrap_or_else(|| line.to_string()))))
                .map_err(|fault| source.fault(fault));
        }
    }

    /// Every molecule is a line, so the next one begins with the next line.
    fn recover(&mut self) -> Result<bool> {
        Ok(true)
    }
}

fn parse(line: &str) -> Result<(Option<String>, Molecule), Fault> {
    let row: Row<'_> =
        serde_json::from_str(line).map_err(|error| Fault::Container { what: "the object `id z xyz`", reason: error.to_string() })?;
    let molecule = Molecule::new("", row.z.into_owned(), row.xyz.into_owned())?;
    Ok((row.id.map(Cow::into_owned), molecule))
}

/// Writes one line; the numbers read back as the same numbers.
pub fn write(out: &mut impl Write, molecule: &Molecule) -> std::io::Result<()> {
    let row = Row { id: Some(molecule.name().into()), z: molecule.atomic_numbers().into(), xyz: molecule.positions().into() };
    serde_json::to_writer(&mut *out, &row)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Result<Molecule>> {
        read(Source::from_bytes("m.jsonl", text.to_owned()).unwrap()).collect()
    }

    #[test]
    fn reads_lines_and_ignores_labels() {
        let text = r#"{"id":"a","z":[1],"xyz":[[0,1e-3,2]],"valid":true}"#.to_owned() + "\n\n" + r#"{"z":[8],"xyz":[[0,0,0]]}"#;
        let molecules: Vec<_> = lines(&text).into_iter().map(Result::unwrap).collect();
        assert_eq!((molecules[0].name(), molecules[1].name()), ("a", "3"));
        assert_eq!(molecules[0].positions(), [[0.0, 1e-3, 2.0]]);
    }

    #[test]
    fn every_prefix_of_a_line_is_refused_with_its_place() {
        let line = r#"{"id":"a","z":[1],"xyz":[[0,1e-3,2]]}"#;
        for end in 1..line.len() {
            let message = lines(&line[..end]).pop().unwrap().unwrap_err().to_string();
            assert!(message.starts_with("m.jsonl, line 1: "), "{message}");
        }
        let unequal = lines(r#"{"z":[1,1],"xyz":[[0,1,2]]}"#).pop().unwrap();
        assert!(unequal.unwrap_err().to_string().contains("1 entries and 2 are needed"));
    }

    #[test]
    fn what_is_written_reads_back() {
        let positions = vec![[0.1 + 0.2, 1.0 / 3.0, 5e-324]];
        let molecule = Molecule::new("quoted \"name\"\n", vec![6], positions).unwrap();
        let mut text = Vec::new();
        write(&mut text, &molecule).unwrap();
        let back = read(Source::from_bytes("m", text).unwrap()).next().unwrap().unwrap();
        assert_eq!(back, molecule);
    }
}
