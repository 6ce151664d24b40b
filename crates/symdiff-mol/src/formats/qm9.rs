//! QM9 as its authors publish it: a tar archive of one text file a molecule (`dsgdb9nsd_000001.xyz`, …).
//!
//! A file is the atom count; `gdb N` and fifteen numbers; `element x y z charge` a line, where numbers may be written
//! `6.1*^-6`; frequencies; two SMILES; two `InChI`. The name of a molecule is `gdb N`.
//!
//! # Source
//! Ramakrishnan, Dral, Rupp, von Lilienfeld, Scientific Data 1, 140022 (2014).

use super::number;
use super::source::{Source, unreadable};
use super::stream::{Next, Report, Stream};
use crate::element;
use crate::error::{Error, Fault, Place, Result};
use crate::molecule::Molecule;
use std::io::{BufRead, Read};
use std::path::PathBuf;
use tar::{Archive, EntryType};

/// Names of the fifteen numbers: GHz, debye, bohr³, hartree, bohr², cal/(mol K). A molecule also has [`OMEGA1`].
pub const PROPERTIES: [&str; 15] = ["A", "B", "C", "mu", "alpha", "homo", "lumo", "gap", "r2", "zpve", "U0", "U", "H", "G", "Cv"];

/// The largest harmonic frequency, cm⁻¹: the name and the choice of the published Python code, where it is a property like the others.
pub const OMEGA1: &str = "omega1";

/// No file of the archive is longer than this.
const LONGEST_FILE: u64 = 1 << 20;
/// What headers, long names and the file itself may take together: a name that is said to have gigabytes is not waited for.
const LONGEST_ENTRY: u64 = LONGEST_FILE + (64 << 10);
/// The unit of a tar archive.
const BLOCK: u64 = 512;

/// The number in a name of the kinds that QM9's files bear: `gdb 1`, `gdb_1`, `dsgdb9nsd_000001`.
pub(crate) fn number_in(name: &str) -> Option<i32> {
    let number = ["gdb ", "gdb_", "dsgdb9nsd_"].iter().find_map(|start| name.strip_prefix(start))?;
    number.parse().ok().filter(|number| *number > 0)
}

/// Reads an archive, compressed or not, molecule by molecule.
pub fn read(source: Source) -> impl Iterator<Item = Result<Molecule>> + Send {
    stream(source, None)
}

pub(crate) fn stream(source: Source, skipping: Option<Report>) -> impl Iterator<Item = Result<Molecule>> + Send {
    let (reader, path) = source.into_reader();
    Stream::new(Files { reader, path, offset: 0, between: false }, skipping)
}

struct Files {
    reader: Box<dyn BufRead + Send>,
    path: PathBuf,
    /// Byte of the unpacked archive.
    offset: u64,
    /// Whether the reader stands between two files, rather than at a fault of the archive itself.
    between: bool,
}

/// A file of the archive.
struct File {
    name: PathBuf,
    content: Vec<u8>,
}

/// An entry of the archive: a file, a folder, a link, …
struct Entry {
    file: File,
    size: u64,
    /// Whether it is a plain file.
    regular: bool,
}

impl Next for Files {
    fn next_molecule(&mut self) -> Result<Option<Molecule>> {
        self.between = false;
        while let Some(File { name, content }) = self.file()? {
            if name.extension().is_some_and(|ending| ending == "xyz") {
                self.between = true;
                let place = self.path.join(name);
                return molecule(&content).map(Some).map_err(|(line, fault)| Error::content(&place, Place::Line(line), fault));
            }
        }
        Ok(None)
    }

    fn recover(&mut self) -> Result<bool> {
        Ok(self.between)
    }
}

impl Files {
    /// The next plain file; `None` at the block of zeros that ends an archive.
    fn file(&mut self) -> Result<Option<File>> {
        loop {
            if self.at_end()? {
                return Err(self.truncated());
            }
            let Some((file, regular)) = self.entry()? else {
                return Ok(None);
            };
            if regular {
                return Ok(Some(file));
            }
        }
    }

    fn at_end(&mut self) -> Result<bool> {
        let (path, place) = (&self.path, Place::Byte(self.offset));
        self.reader.fill_buf().map(<[u8]>::is_empty).map_err(|error| unreadable(path, place, error))
    }

    /// The next entry, and whether it is a plain file: the archive's reader is made anew for each, so that nothing borrows from itself.
    fn entry(&mut self) -> Result<Option<(File, bool)>> {
        let mut counted = Counted { reader: (&mut self.reader).take(LONGEST_ENTRY), bytes: 0 };
        let read = first_entry(&mut counted);
        let spent = counted.bytes == LONGEST_ENTRY;
        self.offset += counted.bytes;
        let too_long =
            |what: String| self.fault(Fault::Unsupported { what, remedy: "give QM9's archive of one small text file a molecule" });
        match read {
            Ok(None) => Ok(None),
            Ok(Some(Entry { size, .. })) if size > LONGEST_FILE => Err(too_long(format!("a file of {size} bytes in the archive"))),
            Ok(Some(Entry { file, size, regular })) => {
                let filling = size.next_multiple_of(BLOCK) - size;
                let passed = std::io::copy(&mut (&mut self.reader).take(filling), &mut std::io::sink());
                let passed = passed.map_err(|error| unreadable(&self.path, Place::Byte(self.offset), error))?;
                self.offset += passed;
                if (file.content.len() as u64) < size || passed < filling {
                    return Err(self.truncated());
                }
                Ok(Some((file, regular)))
            }
            Err(_) if spent => Err(too_long(format!("an entry of more than {LONGEST_ENTRY} bytes"))),
            Err(error) if error.raw_os_error().is_some() => Err(Error::io(&self.path, "read it", error)),
            Err(_) if self.at_end()? => Err(self.truncated()),
            Err(error) => Err(self.fault(Fault::Container { what: "the tar archive", reason: error.to_string() })),
        }
    }

    fn truncated(&self) -> Error {
        let what = "the tar archive".to_owned();
        self.fault(Fault::Truncated { what })
    }

    fn fault(&self, fault: Fault) -> Error {
        Error::content(&self.path, Place::Byte(self.offset), fault)
    }
}

/// The first entry of what is left of an archive, its content if it is no longer than it may be; `None` at the block of zeros that ends one.
fn first_entry(reader: impl Read) -> std::io::Result<Option<Entry>> {
    let mut archive = Archive::new(reader);
    let Some(entry) = archive.entries()?.next() else {
        return Ok(None);
    };
    let mut entry = entry?;
    let (name, size) = (entry.path()?.into_owned(), entry.size());
    let regular = matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Continuous);
    let mut content = Vec::new();
    if size <= LONGEST_FILE {
        entry.read_to_end(&mut content)?;
    }
    Ok(Some(Entry { file: File { name, content }, size, regular }))
}

/// A reader that counts.
struct Counted<R> {
    reader: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
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
    let (frequencies, line) = next("its frequencies")?;
    let frequency = largest_frequency(frequencies).map_err(|fault| (line, fault))?;
    next("its SMILES")?;
    next("its InChI")?;
    let molecule = Molecule::new("", atomic_numbers, positions).map_err(|fault| (1, fault))?;
    Ok(named(molecule, index, numbers, frequency))
}

/// The molecule with the name, number and properties of its file; `frequency` is the largest.
pub(super) fn named(molecule: Molecule, index: i32, numbers: Vec<f64>, frequency: Option<f64>) -> Molecule {
    let molecule = molecule.renamed(format!("gdb {index}")).with_index(index);
    let named = PROPERTIES.into_iter().zip(numbers).chain(frequency.map(|value| (OMEGA1, value)));
    named.fold(molecule, |molecule, (name, value)| molecule.with_property(name, value))
}

/// `gdb N` and fifteen numbers.
pub(super) fn properties(comment: &str) -> Result<(i32, Vec<f64>), Fault> {
    let wrong = || Fault::unexpected("`gdb N` and fifteen numbers", comment, "download the archive again");
    let words: Vec<&str> = comment.split_whitespace().collect();
    let ["gdb", index, numbers @ ..] = words.as_slice() else {
        return Err(wrong());
    };
    if numbers.len() != PROPERTIES.len() {
        return Err(wrong());
    }
    let index = index.parse().map_err(|_| wrong())?;
    let numbers: Result<_, _> = numbers.iter().map(|word| number::finite("a property", word)).collect();
    Ok((index, numbers?))
}

/// The largest number of the line of frequencies; `None` in an empty one, which an atom alone has.
pub(super) fn largest_frequency(line: &str) -> Result<Option<f64>, Fault> {
    line.split_whitespace().try_fold(None, |largest: Option<f64>, word| {
        let frequency = number::finite("a frequency", word)?;
        Ok(Some(largest.map_or(frequency, |largest| largest.max(frequency))))
    })
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
    use super::super::testing::entry;
    use super::*;

    const BLOCK: usize = super::BLOCK as usize;

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
        assert_eq!((read[0].properties()["omega1"], read[0].properties().len()), (1341.3284, 16));
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
            ("1341.307\t", "1341.3o7\t", "q.tar/m.xyz, line 8: expected a frequency"),
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

    /// Archives as GNU tar (a name of its own before the file) and as POSIX has it (a list of attributes) write names of over 100 bytes.
    #[test]
    fn long_names_are_read() {
        let name = format!("{}/dsgdb9nsd_000001.xyz", "folder".repeat(30));
        let kind = |mut entry: Vec<u8>, kind: u8| {
            entry[156] = kind;
            super::super::testing::seal(&mut entry);
            entry
        };
        let gnu = kind(entry("././@LongLink", format!("{name}\0").as_bytes()), b'L');
        let record = format!("path={name}\n");
        let length = record.len() + 4;
        let pax = kind(entry("pax", format!("{length} {record}").as_bytes()), b'x');
        for long in [gnu, pax] {
            let mut bytes = long;
            bytes.extend(entry("short", METHANE.as_bytes()));
            bytes.extend(entry("m.xyz", METHANE.as_bytes()));
            bytes.resize(bytes.len() + 2 * BLOCK, 0);
            assert_eq!(molecules(bytes).into_iter().map(Result::unwrap).count(), 2);
        }
        let mut endless = kind(entry("././@LongLink", b""), b'L');
        endless[124..135].copy_from_slice(format!("{:011o}", 1_u64 << 32).as_bytes());
        super::super::testing::seal(&mut endless);
        endless.resize(4 << 20, b'a');
        let message = molecules(endless).pop().unwrap().unwrap_err().to_string();
        assert!(message.contains("an entry of more than"), "{message}");
    }

    #[test]
    fn bad_files_are_skipped_and_a_bad_archive_is_not() {
        let mut bytes = entry("a.xyz", METHANE.replacen("6.1*^-6", "x", 1).as_bytes());
        bytes.extend(archive());
        let count = |bytes: Vec<u8>| {
            stream(Source::from_bytes("q.tar", bytes).unwrap(), Some(Box::new(|_| {}))).map(|m| m.is_ok()).collect::<Vec<_>>()
        };
        assert_eq!(count(bytes.clone()), [true, true]);
        bytes.truncate(bytes.len() - 3 * BLOCK);
        assert_eq!(count(bytes), [true, false]);
    }
}
