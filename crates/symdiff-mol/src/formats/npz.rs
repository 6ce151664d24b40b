//! Numpy archives, packed or padded.
//!
//! | array | packed | padded (the published Python code's) | meaning |
//! |---|---|---|---|
//! | `num_atoms` | `[M]` | `[M]` | atoms a molecule |
//! | `charges` | `[N]` | `[M, P]` | atomic numbers |
//! | `positions` | `[N, 3]` | `[M, P, 3]` | angstrom |
//! | `index` | `[M]`, optional | the same | the source's own numbering |
//! | any other real array | `[M]` | `[M]` | a property |
//!
//! Written: packed.

mod archive;

use super::npy::{Kind, file};
use super::source::Source;
use crate::data::{MoleculeSet, in_file};
use crate::error::{Error, Fault, Place, Result};
use archive::Archive;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, Write};
use std::path::Path;

/// Reads a file, array by array; one that is compressed as a whole, or a pipe, is unpacked into memory first.
///
/// # Errors
/// As [`read`], and when the file cannot be opened.
pub fn load(path: &Path) -> Result<MoleculeSet> {
    let failed = |source| Error::io(path, "open it", source);
    let mut file = File::open(path).map_err(failed)?;
    let mut start = [0; 2];
    if file.metadata().is_ok_and(|file| file.is_file()) && file.read_exact(&mut start).is_ok() && start == *b"PK" {
        file.rewind().map_err(failed)?;
        return from_archive(path, BufReader::new(file));
    }
    read(Source::open(path)?, path)
}

/// Reads an archive as a whole; `path` stands for it in messages.
///
/// # Errors
/// Names the array and what is wrong with it, or the molecule, counted from one.
pub fn read(source: Source, path: &Path) -> Result<MoleculeSet> {
    from_bytes(path, source.into_bytes("the archive", b"PK", archive::LARGEST)?)
}

/// Reads an archive from memory; `path` stands for the file in messages.
pub fn from_bytes(path: &Path, bytes: impl AsRef<[u8]>) -> Result<MoleculeSet> {
    from_archive(path, Cursor::new(bytes))
}

/// The properties of so many molecules in an archive that may hold nothing else: every array of one real number a molecule, none of which is NaN.
///
/// # Errors
/// Those of [`load`].
pub fn read_properties(path: &Path, molecules: usize) -> Result<BTreeMap<String, Vec<f64>>> {
    let file = File::open(path).map_err(|source| Error::io(path, "open it", source))?;
    Archive::new(path, BufReader::new(file))?.properties(molecules)
}

fn from_archive(path: &Path, reader: impl Read + Seek) -> Result<MoleculeSet> {
    let mut archive = Archive::new(path, reader)?;
    let sizes = archive.unsigned::<usize>("num_atoms")?;
    let padding = archive.padding("charges", "positions", sizes.len())?;
    let mut atomic_numbers = archive.unsigned::<u8>("charges")?;
    let mut positions = archive.positions("positions")?;
    if let Some(width) = padding {
        check_padding(&sizes, width, &atomic_numbers)
            .map_err(|(molecule, fault)| Error::content(path, Place::Molecule(molecule), fault))?;
        atomic_numbers = unpadded(&sizes, width, &atomic_numbers);
        positions = unpadded(&sizes, width, &positions);
    }
    let index = if archive.has("index") { Some(archive.unsigned::<i32>("index")?) } else { None };
    let properties = archive.properties(sizes.len())?;
    MoleculeSet::from_packed(sizes, atomic_numbers, positions, index)
        .and_then(|set| set.with_properties(properties))
        .map_err(|error| in_file(error, path))
}

/// Rows of `width` of which the first `sizes[i]` entries count.
fn unpadded<T: Copy>(sizes: &[usize], width: usize, rows: &[T]) -> Vec<T> {
    let rows = rows.chunks_exact(width.max(1)).zip(sizes);
    rows.flat_map(|(row, size)| &row[..*size]).copied().collect()
}

/// A molecule fits its row, and no atom stands in the padding.
fn check_padding(sizes: &[usize], width: usize, charges: &[u8]) -> Result<(), (u64, Fault)> {
    for ((size, row), number) in sizes.iter().zip(charges.chunks_exact(width.max(1))).zip(1..) {
        if *size > width || row[*size..].iter().any(|z| *z != 0) {
            let fault = Fault::Length { what: "the row of atoms", expected: *size, found: row.iter().filter(|z| **z != 0).count() };
            return Err((number, fault));
        }
    }
    Ok(())
}

/// Writes a packed archive, compressed.
pub fn write(out: impl Write + Seek, set: &MoleculeSet) -> std::io::Result<()> {
    let mut archive = zip::ZipWriter::new(out);
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let mut put = |name: &str, kind, shape: &[usize], data: &[u8]| -> std::io::Result<()> {
        archive.start_file(format!("{name}.npy"), options)?;
        archive.write_all(&file(kind, shape, data))
    };
    let (molecules, atoms) = (set.len(), set.total_atoms());
    let index: Vec<u8> = (0..molecules).flat_map(|i| set.index(i).to_le_bytes()).collect();
    let sizes: Vec<u8> = set.sizes().flat_map(|n| (n as i32).to_le_bytes()).collect();
    let values = set.all_positions().iter().flatten();
    let positions: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
    put("index", Kind::I32, &[molecules], &index)?;
    put("num_atoms", Kind::I32, &[molecules], &sizes)?;
    put("charges", Kind::U8, &[atoms], set.all_atomic_numbers())?;
    put("positions", Kind::F32, &[atoms, 3], &positions)?;
    for (name, values) in set.properties() {
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        put(name, Kind::F64, &[molecules], &data)?;
    }
    archive.finish()?;
    Ok(())
}

/// Properties of a set by name.
pub(crate) type Properties = BTreeMap<String, Vec<f64>>;

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(set: &MoleculeSet) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        write(&mut out, set).unwrap();
        out.into_inner()
    }

    fn small() -> MoleculeSet {
        let properties = [("U0".to_owned(), vec![1.0, -2.0, 1.0 / 3.0])].into();
        let set = crate::data::embedded().select(&[0, 5, 9]);
        set.with_properties(properties).unwrap()
    }

    #[test]
    fn what_is_written_reads_back() {
        assert_eq!(from_bytes(Path::new("a.npz"), bytes(&small())).unwrap(), small());
    }

    #[test]
    fn padded_arrays_read_like_packed_ones() {
        let (set, width) = (small(), 12);
        let mut charges = vec![0_u8; set.len() * width];
        let mut positions = vec![[0.0_f32; 3]; set.len() * width];
        for i in 0..set.len() {
            let (row, n) = (i * width, set.num_atoms(i));
            charges[row..row + n].copy_from_slice(set.atomic_numbers(i));
            positions[row..row + n].copy_from_slice(set.positions(i));
        }
        // Beside the numbers there may be names.
        let mut names = file(Kind::F32, &[set.len()], &[0; 12]);
        let kind = names.windows(3).position(|bytes| bytes == b"<f4").unwrap();
        names[kind + 1..kind + 3].copy_from_slice(b"U1");
        let padded = |charges: &[u8]| {
            let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
            let sizes: Vec<u8> = set.sizes().flat_map(|n| (n as i64).to_le_bytes()).collect();
            let wide: Vec<u8> = charges.iter().flat_map(|z| i64::from(*z).to_le_bytes()).collect();
            let flat: Vec<u8> = positions.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
            for (name, kind, shape, data) in [
                ("num_atoms", Kind::I64, vec![set.len()], sizes),
                ("charges", Kind::I64, vec![set.len(), width], wide),
                ("positions", Kind::F32, vec![set.len(), width, 3], flat),
            ] {
                zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
                zip.write_all(&file(kind, &shape, &data)).unwrap();
            }
            zip.start_file("tag.npy", zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(&names).unwrap();
            from_bytes(Path::new("p.npz"), zip.finish().unwrap().into_inner())
        };
        let read = padded(&charges).unwrap();
        assert_eq!(read.all_positions(), set.all_positions());
        assert_eq!(read.all_atomic_numbers(), set.all_atomic_numbers());
        charges[width - 1] = 6;
        assert!(padded(&charges).unwrap_err().to_string().contains("p.npz, molecule 1: the row of atoms"));
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
