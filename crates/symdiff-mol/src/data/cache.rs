//! The packed cache: a set as a safetensors file that is mapped, not read.
//!
//! | tensor | type, shape | meaning |
//! |---|---|---|
//! | `num_atoms` | u32 `[M]` | atoms a molecule |
//! | `index` | i32 `[M]` | the source's own numbering |
//! | `atomic_numbers` | u8 `[N]` | molecules one after the other |
//! | `positions` | f32 `[N, 3]` | angstrom |
//! | `property.NAME` | f64 `[M]` | a number of each molecule |
//! | `split.train`, `.valid`, `.test` | u32 | places of each part, where the set has a split of its own |
//!
//! The header's metadata hold the schema version, the source's stamp, and an XXH3 checksum of each tensor, all of which
//! are compared when the file is opened: a cache is used whole or not at all.

mod part;
mod writer;

pub use writer::CacheWriter;

use super::array::Array;
use super::set::{MoleculeSet, in_file};
use super::split::{PARTS, Split};
use crate::error::{Error, Fault, Place, Result};
use bytemuck::{AnyBitPattern, NoUninit};
use mmap_io::MemoryMappedFile;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use twox_hash::XxHash3_64;

/// Changes when the layout does.
const SCHEMA: &str = "symdiff-mol-1";
const REMEDY: &str = "delete it and prepare it again";

/// Opens a cache.
///
/// # Errors
/// Another schema, a wrong checksum, tensors that do not fit each other, or a molecule that breaks an invariant.
///
/// # Cost
/// One pass over the file for checksums and invariants; afterwards pages are the system's to drop.
pub fn read_cache(path: &Path) -> Result<MoleculeSet> {
    let fault = |fault| Error::content(path, Place::Whole, fault);
    let file = std::fs::metadata(path).map_err(|source| Error::io(path, "open it", source))?;
    if !file.is_file() {
        let what = "a packed data set that is no plain file".to_owned();
        return Err(fault(Fault::Unsupported { what, remedy: "name the file itself, or copy it to a disk" }));
    }
    let map = MemoryMappedFile::open_ro(path).map_err(|error| match error {
        mmap_io::MmapIoError::Io(source) => Error::io(path, "map it", source),
        other => fault(container(&other)),
    })?;
    let file = Arc::new(map);
    let bytes = file.as_slice_bytes(0, file.len()).map_err(|error| fault(container(&error)))?;
    let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| fault(container(&error)))?;
    let cache = Cache { path, file: &file, metadata: &metadata, start: 8 + header as u64 };
    if cache.entry("schema")? != SCHEMA {
        let what = format!("the schema `{}`", cache.entry("schema")?.escape_debug());
        return Err(fault(Fault::Unsupported { what, remedy: REMEDY }));
    }
    for name in metadata.tensors().into_keys() {
        // A name that is damaged would pass for a tensor that is not there.
        cache.entry(&format!("xxh3.{name}"))?;
    }
    let num_atoms = cache.array::<u32>("num_atoms", Dtype::U32)?;
    let index = cache.array::<i32>("index", Dtype::I32)?.to_vec();
    let atomic_numbers = cache.array("atomic_numbers", Dtype::U8)?;
    let positions = cache.array("positions", Dtype::F32)?;
    let mut properties = BTreeMap::new();
    for name in metadata.tensors().into_keys() {
        if let Some(property) = name.strip_prefix("property.") {
            properties.insert(property.to_owned(), cache.array(&name, Dtype::F64)?.to_vec());
        }
    }
    let set = MoleculeSet::from_arrays(num_atoms.iter().map(|n| *n as usize), atomic_numbers, positions, Some(index))
        .and_then(|set| set.with_properties(properties))
        .map_err(|error| in_file(error, path))?;
    match cache.split()? {
        Some(split) => set.with_split(split).map_err(fault),
        None => Ok(set),
    }
}

/// Writes a set as a cache.
pub fn write_cache(path: &Path, set: &MoleculeSet) -> Result<()> {
    let mut writer = CacheWriter::create(path)?;
    writer.push_set(set)?;
    writer.finish(None, set.own_split())
}

/// Length and time of a file: another file of that name is unlikely to have both. Of a folder, those of its parts.
pub(super) fn stamp(path: &Path) -> Result<String> {
    if path.is_dir() {
        let parts: Result<Vec<_>> = PARTS.iter().map(|part| stamp(&path.join(part))).collect();
        return Ok(parts?.join("; "));
    }
    let metadata = std::fs::metadata(path).map_err(|source| Error::io(path, "open it", source))?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(format!("{} bytes, {} ns", metadata.len(), modified.unwrap_or_default().as_nanos()))
}

/// The [`stamp`] of the file that a cache was made from.
pub(super) fn stored_stamp(cache: &Path) -> Result<String> {
    use std::io::Read;
    let io = |source| Error::io(cache, "read it", source);
    let mut file = std::fs::File::open(cache).map_err(io)?;
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(io)?;
    let mut header = Vec::new();
    file.take(u64::from_le_bytes(length).min(1 << 24)).read_to_end(&mut header).map_err(io)?;
    let parsed: serde_json::Value = serde_json::from_slice(&header).unwrap_or_default();
    Ok(parsed["__metadata__"]["source"].as_str().unwrap_or_default().to_owned())
}

/// An open cache.
struct Cache<'a> {
    path: &'a Path,
    file: &'a Arc<MemoryMappedFile>,
    metadata: &'a Metadata,
    /// Byte of the first tensor.
    start: u64,
}

impl Cache<'_> {
    fn entry(&self, key: &str) -> Result<&str> {
        let entry = self.metadata.metadata().as_ref().and_then(|entries| entries.get(key));
        entry.map(String::as_str).ok_or_else(|| {
            let what = format!("entry `{key}` in the header");
            Error::content(self.path, Place::Whole, Fault::Missing { what, remedy: REMEDY })
        })
    }

    /// The set's own split, where it has one.
    fn split(&self) -> Result<Option<Split>> {
        let places = |part: &str| -> Result<Vec<usize>> {
            Ok(self.array::<u32>(&format!("split.{part}"), Dtype::U32)?.iter().map(|place| *place as usize).collect())
        };
        let present = self.metadata.info("split.train").is_some();
        present.then(|| Ok(Split { train: places("train")?, valid: places("valid")?, test: places("test")? })).transpose()
    }

    /// A tensor of this type whose checksum is right.
    fn array<T: AnyBitPattern + NoUninit>(&self, name: &str, dtype: Dtype) -> Result<Array<T>> {
        let fault = |fault| Error::content(self.path, Place::Array(name.to_owned()), fault);
        let info = self.metadata.info(name).ok_or_else(|| {
            let what = format!("tensor `{name}`");
            fault(Fault::Missing { what, remedy: REMEDY })
        })?;
        if info.dtype != dtype {
            return Err(fault(Fault::unexpected("the type of the schema", &format!("{:?}", info.dtype), REMEDY)));
        }
        let (from, to) = info.data_offsets;
        let bytes = self.start + from as u64..self.start + to as u64;
        let damaged = || fault(Fault::Container { what: "the tensor", reason: "its bytes are not those of its checksum".to_owned() });
        let slice = self.file.as_slice_bytes(bytes.start, bytes.end - bytes.start).map_err(|_| damaged())?;
        if self.entry(&format!("xxh3.{name}"))? != checksum(XxHash3_64::oneshot(slice)) {
            return Err(damaged());
        }
        Array::mapped(self.file, bytes).ok_or_else(damaged)
    }
}

fn checksum(hash: u64) -> String {
    format!("{hash:016x}")
}

fn container(error: &dyn std::fmt::Display) -> Fault {
    Fault::Container { what: "the cache", reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::embedded;
    use super::*;

    fn sample() -> MoleculeSet {
        let set = embedded().select(&[3, 1, 4, 100]).with_properties([("gap".to_owned(), vec![0.1, 0.2, 0.3, 0.4])].into());
        set.unwrap().with_split(Split { train: vec![3, 0], valid: vec![], test: vec![1] }).unwrap()
    }

    #[test]
    fn a_cache_is_the_set_and_keeps_its_word_about_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.safetensors");
        write_cache(&path, &sample()).unwrap();
        assert_eq!(read_cache(&path).unwrap(), sample());
        let whole = std::fs::read(&path).unwrap();
        for end in (0..whole.len()).step_by(23) {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert!(read_cache(&path).unwrap_err().to_string().contains("c.safetensors"));
        }
        for at in (0..whole.len()).step_by(11) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, damaged).unwrap();
            // The header's padding and its stamp may change; no molecule may.
            if let Ok(set) = read_cache(&path) {
                assert_eq!(set.all_positions(), sample().all_positions(), "byte {at}");
                assert_eq!(set.all_atomic_numbers(), sample().all_atomic_numbers(), "byte {at}");
                assert_eq!(set.split(), sample().split(), "byte {at}");
            }
        }
    }
}
