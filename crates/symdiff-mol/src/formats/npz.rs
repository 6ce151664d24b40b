//! Numpy archives of packed arrays.
//!
//! | array | type, shape | meaning |
//! |---|---|---|
//! | `num_atoms` | whole, `[M]` | atoms a molecule |
//! | `charges` | whole, `[N]` | atomic numbers, molecules one after the other |
//! | `positions` | real, `[N, 3]` | angstrom |
//! | `index` | whole, `[M]`, optional | the source's own numbering |

use super::npy::{Array, Kind, file};
use crate::data::{MoleculeSet, in_file};
use crate::error::{Error, Fault, Place, Result};
use std::io::{Cursor, Read, Seek, Write};
use std::path::Path;
use zip::ZipArchive;
use zip::result::ZipError;

/// Reads a packed archive.
///
/// # Errors
/// Names the array and what is wrong with it, or the molecule, counted from one.
pub fn read(path: &Path) -> Result<MoleculeSet> {
    let bytes = std::fs::read(path).map_err(|source| Error::io(path, "read it", source))?;
    from_bytes(path, bytes)
}

/// Reads a packed archive from memory; `path` stands for the file in messages.
pub fn from_bytes(path: &Path, bytes: impl AsRef<[u8]>) -> Result<MoleculeSet> {
    let mut archive = Archive::new(path, Cursor::new(bytes))?;
    let num_atoms = archive.sizes("num_atoms")?;
    let atomic_numbers = archive.atomic_numbers("charges")?;
    let positions = archive.positions("positions")?;
    let index = archive.index("index")?;
    MoleculeSet::from_packed(num_atoms, atomic_numbers, positions, index).map_err(|error| in_file(error, path))
}

/// Writes a packed archive, compressed.
pub fn write(out: impl Write + Seek, set: &MoleculeSet) -> std::io::Result<()> {
    let mut archive = zip::ZipWriter::new(out);
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let index: Vec<u8> = (0..set.len()).flat_map(|i| set.index(i).to_le_bytes()).collect();
    let sizes: Vec<u8> = set.sizes().flat_map(|n| (n as i32).to_le_bytes()).collect();
    let positions: Vec<u8> = set.all_positions().iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
    let (molecules, atoms) = (set.len(), set.total_atoms());
    for (name, kind, shape, data) in [
        ("index", Kind::I32, &[molecules][..], index.as_slice()),
        ("num_atoms", Kind::I32, &[molecules], &sizes),
        ("charges", Kind::U8, &[atoms], set.all_atomic_numbers()),
        ("positions", Kind::F32, &[atoms, 3], &positions),
    ] {
        archive.start_file(format!("{name}.npy"), options)?;
        archive.write_all(&file(kind, shape, data))?;
    }
    archive.finish()?;
    Ok(())
}

/// An open archive that knows its file's name.
struct Archive<'a, R> {
    path: &'a Path,
    zip: ZipArchive<R>,
}

impl<'a, R: Read + Seek> Archive<'a, R> {
    fn new(path: &'a Path, reader: R) -> Result<Self> {
        let zip = ZipArchive::new(reader).map_err(|error| {
            let fault = Fault::Container { what: "the archive", reason: error.to_string() };
            Error::content(path, Place::Whole, fault)
        })?;
        Ok(Self { path, zip })
    }

    fn sizes(&mut self, name: &str) -> Result<Vec<usize>> {
        let sizes = self.integers(name)?;
        let wrong = |size: i64| Fault::unexpected("numbers of atoms", &size.to_string(), REWRITE);
        sizes.into_iter().map(|n| usize::try_from(n).map_err(|_| self.fault(name, wrong(n)))).collect()
    }

    fn atomic_numbers(&mut self, name: &str) -> Result<Vec<u8>> {
        let numbers = self.integers(name)?;
        let wrong = |z: i64| Fault::unexpected("atomic numbers", &z.to_string(), REWRITE);
        numbers.into_iter().map(|z| u8::try_from(z).map_err(|_| self.fault(name, wrong(z)))).collect()
    }

    fn positions(&mut self, name: &str) -> Result<Vec<[f32; 3]>> {
        let array = self.required(name)?;
        if array.shape.len() != 2 || array.shape[1] != 3 {
            let found = format!("{:?}", array.shape);
            let fault = Fault::unexpected("the shape [atoms, 3]", &found, REWRITE);
            return Err(self.fault(name, fault));
        }
        let values = array.reals().map_err(|fault| self.fault(name, fault))?;
        let rows = values.as_chunks::<3>().0;
        Ok(rows.iter().map(|row| row.map(|v| v as f32)).collect())
    }

    fn index(&mut self, name: &str) -> Result<Option<Vec<i32>>> {
        if self.array(name)?.is_none() {
            return Ok(None);
        }
        let numbers = self.integers(name)?;
        let wrong = |v: i64| Fault::unexpected("32-bit indices", &v.to_string(), REWRITE);
        let index: Result<_> = numbers.into_iter().map(|v| i32::try_from(v).map_err(|_| self.fault(name, wrong(v)))).collect();
        index.map(Some)
    }

    fn integers(&mut self, name: &str) -> Result<Vec<i64>> {
        let array = self.required(name)?;
        array.integers().map_err(|fault| self.fault(name, fault))
    }

    fn required(&mut self, name: &str) -> Result<Array> {
        self.array(name)?.ok_or_else(|| {
            self.fault(
                name,
                Fault::Missing { what: format!("array `{name}`"), remedy: "a packed archive holds num_atoms, charges, positions" },
            )
        })
    }

    /// An array, or `None` where the archive has none of that name.
    fn array(&mut self, name: &str) -> Result<Option<Array>> {
        let damaged = |error: &dyn std::fmt::Display| Fault::Container { what: "the array", reason: error.to_string() };
        let mut bytes = Vec::new();
        let read = match self.zip.by_name(&format!("{name}.npy")) {
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => Err(damaged(&error)),
            Ok(mut entry) => entry.read_to_end(&mut bytes).map_err(|error| damaged(&error)),
        };
        read.and_then(|_| Array::parse(bytes)).map(Some).map_err(|fault| self.fault(name, fault))
    }

    fn fault(&self, name: &str, fault: Fault) -> Error {
        Error::content(self.path, Place::Array(name.to_owned()), fault)
    }
}

const REWRITE: &str = "write the archive again";

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(set: &MoleculeSet) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        write(&mut out, set).unwrap();
        out.into_inner()
    }

    fn small() -> MoleculeSet {
        crate::data::embedded().select(&[0, 5, 9])
    }

    #[test]
    fn what_is_written_reads_back() {
        assert_eq!(from_bytes(Path::new("a.npz"), bytes(&small())).unwrap(), small());
    }

    #[test]
    fn every_prefix_is_refused_in_words() {
        let whole = bytes(&small());
        for end in 0..whole.len() {
            let message = from_bytes(Path::new("a.npz"), &whole[..end]).unwrap_err().to_string();
            assert!(message.starts_with("a.npz, "), "{message}");
        }
    }

    #[test]
    fn damage_anywhere_never_panics() {
        let whole = bytes(&small());
        for at in 0..whole.len() {
            for bit in [1, 0x80] {
                let mut damaged = whole.clone();
                damaged[at] ^= bit;
                let _ = from_bytes(Path::new("a.npz"), damaged);
            }
        }
    }
}
