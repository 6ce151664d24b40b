//! QM9 as its authors publish it: a tar archive of one text file a molecule (`dsgdb9nsd_000001.xyz`, …).
//!
//! A file is the atom count; `gdb N` and fifteen numbers; `element x y z charge` a line, where numbers may be written
//! `6.1*^-6`; frequencies; two SMILES; two `InChI`. The name of a molecule is `gdb N`.
//!
//! # Source
//! Ramakrishnan, Dral, Rupp, von Lilienfeld, Scientific Data 1, 140022 (2014).

use super::number;
use super::source::{Source, unreadable};
use super::stream::{Next, Stream};
use super::tar::{BLOCK, Header};
use crate::element;
use crate::error::{Error, Fault, Place, Result};
use crate::molecule::Molecule;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

/// Names of the fifteen numbers: GHz, debye, bohr³, hartree, bohr², cal/(mol K).
pub const PROPERTIES: [&str; 15] = ["A", "B", "C", "mu", "alpha", "homo", "lumo", "gap", "r2", "zpve", "U0", "U", "H", "G", "Cv"];

/// No file of the archive is longer than this.
const LONGEST_FILE: u64 = 1 << 20;

/// The number in a name of the kinds that QM9's files bear: `gdb 1`, `gdb_1`, `dsgdb9nsd_000001`.
pub(crate) fn number_in(name: &str) -> Option<i32> {
    let number = ["gdb ", "gdb_", "dsgdb9nsd_"].iter().find_map(|start| name.strip_prefix(start))?;
    number.parse().ok().filter(|number| *number > 0)
}

/// Reads an archive, compressed or not, molecule by molecule.
pub fn read(source: Source) -> impl Iterator<Item = Result<Molecule>> + Send {
    let (reader, path) = source.into_reader();
    Stream::new(Files { reader, path, offset: 0 })
}

struct Files {
    reader: Box<dyn BufRead + Send>,
    path: PathBuf,
    /// Byte of the unpacked archive.
    offset: u64,
}

impl Next for Files {
    fn next_molecule(&mut self) -> Result<Option<Molecule>> {
        while let Some((name, text)) = self.file()? {
            if Path::new(&name).extension().is_some_and(|ending| ending == "xyz") {
                let place = Path::new(&self.path).join(name);
                return molecule(&text).map(Some).map_err(|(line, fault)| Error::content(&place, Place::Line(line), fault));
            }
        }
        Ok(None)
    }
}

impl Files {
    /// Name and content of the next regular file; `None` at the block of zeros that ends an archive.
    fn file(&mut self) -> Result<Option<(String, Vec<u8>)>> {
        loop {
            let block = self.bytes(BLOCK)?;
            if block.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            let header = Header::parse(&block).ok_or_else(|| {
                self.fault(Fault::Container { what: "the tar header", reason: "its checksum or a number in it is wrong".to_owned() })
            })?;
            if header.size > LONGEST_FILE {
                return Err(self.fault(Fault::Unsupported {
                    what: format!("a file of {} bytes in the archive", header.size),
                    remedy: "give QM9's archive of one small text file a molecule",
                }));
            }
            let mut content = self.bytes(header.size.next_multiple_of(BLOCK as u64) as usize)?;
            content.truncate(header.size as usize);
            if header.regular {
                return Ok(Some((header.name, content)));
            }
        }
    }

    fn bytes(&mut self, count: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader).take(count as u64).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(&self.path, Place::Byte(self.offset), error))?;
        if bytes.len() < count {
            let what = "the tar archive".to_owned();
            return Err(self.fault(Fault::Truncated { what }));
        }
        self.offset += count as u64;
        Ok(bytes)
    }

    fn fault(&self, fault: Fault) -> Error {
        Error::content(&self.path, Place::Byte(self.offset), fault)
    }
}

/// The molecule of one file, or the line of a fault.
fn molecule(text: &[u8]) -> Result<Molecule, (u64, Fault)> {
    let not_text = |_| Fault::Unsupported { what: "text that is not UTF-8".to_owned(), remedy: "unpack and pack the archive again" };
    let text = std::str::from_utf8(text).map_err(|error| (1, not_text(error)))?;
    let mut lines = text.lines().zip(1..);
    let mut next = |what: &str| {
        let what = what.to_owned();
        lines.next().ok_or((text.lines().count() as u64, Fault::Truncated { what }))
    };
    let (count, line) = next("its atom count")?;
    let wrong_count = |_| Fault::unexpected("an atom count", count, "download the archive again");
    let count: usize = count.trim().parse().map_err(|error| (line, wrong_count(error)))?;
    let (comment, line) = next("its properties")?;
    let (index, numbers) = properties(comment).map_err(|fault| (line, fault))?;
    let (mut atomic_numbers, mut positions) = (Vec::new(), Vec::new());
    for number in 1..=count {
        let (text, line) = next("its atoms")?;
        let (z, position) = atom(number, text).map_err(|fault| (line, fault))?;
        atomic_numbers.push(z);
        positions.push(position);
    }
    next("its frequencies")?;
    next("its SMILES")?;
    next("its InChI")?;
    let molecule = Molecule::new(format!("gdb {index}"), atomic_numbers, positions).map_err(|fault| (1, fault))?.with_index(index);
    let named = PROPERTIES.into_iter().zip(numbers);
    Ok(named.fold(molecule, |molecule, (name, value)| molecule.with_property(name, value)))
}

/// `gdb N` and fifteen numbers.
fn properties(comment: &str) -> Result<(i32, Vec<f64>), Fault> {
    let wrong = || Fault::unexpected("`gdb N` and fifteen numbers", comment, "download the archive again");
    let words: Vec<&str> = comment.split_whitespace().collect();
    let ["gdb", index, numbers @ ..] = words.as_slice() else {
        return Err(wrong());
    };
    if numbers.len() != PROPERTIES.len() {
        return Err(wrong());
    }
    let index = index.parse().map_err(|_| wrong())?;
    let numbers: Result<_, _> = numbers.iter().map(|word| number::parse("a property", word)).collect();
    Ok((index, numbers?))
}

/// `element x y z charge`
fn atom(number: usize, line: &str) -> Result<(u8, [f64; 3]), Fault> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let &[symbol, x, y, z, _] = words.as_slice() else {
        return Err(Fault::unexpected("`element x y z charge`", line, "download the archive again"));
    };
    let atomic_number = element::atomic_number(symbol).ok_or_else(|| Fault::UnknownElement { atom: number, text: symbol.to_owned() })?;
    let mut position = [0.0; 3];
    for (value, word) in position.iter_mut().zip([x, y, z]) {
        *value = number::parse("a coordinate", word)?;
    }
    Ok((atomic_number, position))
}

#[cfg(test)]
mod tests {
    use super::super::tar::testing::entry;
    use super::*;

    const METHANE: &str = "5\ngdb 1\t157.7118\t157.70997\t157.70699\t0.\t13.21\t-0.3877\t0.1171\t0.5048\t35.3641\t0.044749\t-40.47893\t-40.476062\t-40.475117\t-40.498597\t6.469\t\nC\t-0.0126981359\t 1.0858041578\t 0.0080009958\t-0.535689\nH\t 0.002150416\t-0.0060313176\t 6.1*^-6\t 0.133921\nH\t 1.0117308433\t 1.4637511618\t 0.0002765748\t 0.133922\nH\t-0.540815069\t 1.4475266138\t-0.8766437152\t 0.133923\nH\t-0.5238136345\t 1.4379326443\t 0.9063972942\t 0.133923\n1341.307\t1341.3284\nC\tC\t\nInChI=1S/CH4/h1H4\tInChI=1S/CH4/h1H4\n";

    fn archive() -> Vec<u8> {
        let mut bytes = entry("readme.txt", b"not a molecule");
        bytes.extend(entry("dsgdb9nsd_000001.xyz", METHANE.as_bytes()));
        bytes.extend(entry("dsgdb9nsd_000002.xyz", METHANE.replace("gdb 1", "gdb 2").as_bytes()));
        bytes.resize(bytes.len() + 2 * BLOCK, 0);
        bytes
    }

    fn molecules(bytes: Vec<u8>) -> Vec<Result<Molecule>> {
        read(Source::from_bytes("q.tar", bytes).unwrap()).collect()
    }

    #[test]
    fn files_become_molecules_with_properties() {
        let read: Vec<_> = molecules(archive()).into_iter().map(Result::unwrap).collect();
        assert_eq!(read.len(), 2);
        assert_eq!((read[1].name(), read[0].atomic_numbers()), ("gdb 2", &[6, 1, 1, 1, 1][..]));
        assert_eq!(read[0].positions()[1], [0.002150416, -0.0060313176, 6.1e-6]);
        assert_eq!(read[0].properties()["U0"], -40.47893);
        assert_eq!(read[0].properties().len(), 15);
    }

    #[test]
    fn every_cut_before_the_end_mark_is_refused() {
        let whole = archive();
        for cut in (0..whole.len() - 2 * BLOCK).step_by(13) {
            let last = molecules(whole[..cut].to_vec()).pop().unwrap();
            let message = last.unwrap_err().to_string();
            assert!(message.starts_with("q.tar, byte ") && message.contains("cut"), "{message}");
        }
    }

    #[test]
    fn faults_inside_a_file_name_it_and_the_line() {
        for (from, to, place) in [
            ("C\t-0.0126981359", "Q\t-0.0126981359", "q.tar/m.xyz, line 3: atom 1"),
            ("6.1*^-6", "6.1*^", "q.tar/m.xyz, line 4: expected a coordinate"),
            ("gdb 1", "gdx 1", "q.tar/m.xyz, line 2"),
            ("5\n", "6\n", "q.tar/m.xyz, line 8"),
        ] {
            let mut bytes = entry("m.xyz", METHANE.replacen(from, to, 1).as_bytes());
            bytes.resize(bytes.len() + BLOCK, 0);
            let message = molecules(bytes).pop().unwrap().unwrap_err().to_string();
            assert!(message.starts_with(place), "{message}");
        }
        let mut damaged = archive();
        damaged[0] ^= 1;
        assert!(molecules(damaged).pop().unwrap().unwrap_err().to_string().contains("checksum"));
    }
}
