//! A data set from a file, whatever its format.

use super::cache::{CacheWriter, read_cache, stamp, stored_stamp};
use super::set::{MoleculeSet, in_file};
use super::split::{PARTS, Split};
use crate::error::{Error, Fault, Place, Result};
use crate::formats::{self, Format};
use std::path::Path;

/// Reads all molecules of a file into a packed set, or those of a folder with `train.npz`, `valid.npz` and `test.npz`, whose parts become the
/// set's split.
///
/// # Errors
/// A sentence that names file, place and remedy: missing file, unknown ending, damaged content, or no molecule in it.
pub fn load(path: &Path) -> Result<MoleculeSet> {
    if path.is_dir() {
        return in_parts(path);
    }
    let set = match Format::of(path)? {
        Format::Cache => read_cache(path)?,
        Format::Npz => formats::npz::load(path)?,
        _ => MoleculeSet::from_molecules(formats::open(path)?).map_err(|error| in_file(error, path))?,
    };
    if set.is_empty() {
        let fault = Fault::Empty { what: "the file", unit: "molecule" };
        return Err(Error::content(path, Place::Whole, fault));
    }
    match Split::of_format(path, set.len()) {
        Some(split) => set.with_split(split).map_err(|fault| Error::content(path, Place::Whole, fault)),
        None => Ok(set),
    }
}

/// Reads a data set through a cache: the cache if it belongs to the file as it is now, else the file, which then fills the
/// cache.
///
/// # Errors
/// Those of [`load`] for the file, and a refusal to write the cache. A cache that is missing, old or damaged is no error.
pub fn load_cached(path: &Path, cache: &Path) -> Result<MoleculeSet> {
    let now = stamp(path)?;
    if let Ok(stored) = stored_stamp(cache)
        && stored == now
    {
        match read_cache(cache) {
            Ok(set) => return Ok(set),
            Err(error) => tracing::warn!("the cache is made again: {error}"),
        }
    }
    let set = load(path)?;
    let mut writer = CacheWriter::create(cache)?;
    writer.push_set(&set)?;
    writer.finish(Some(&now), set.own_split())?;
    Ok(set)
}

fn in_parts(folder: &Path) -> Result<MoleculeSet> {
    if !PARTS.iter().any(|part| folder.join(part).exists()) {
        let what = format!("data set in this folder: {}", PARTS.join(", "));
        return Err(Error::content(
            folder,
            Place::Whole,
            Fault::Missing { what, remedy: "name a file, or a folder that holds those three" },
        ));
    }
    let mut sets = Vec::new();
    for part in PARTS {
        sets.push(load(&folder.join(part))?);
    }
    let mut end = 0;
    let [train, valid, test] = [0, 1, 2].map(|part: usize| {
        let start = end;
        end += sets[part].len();
        (start..end).collect()
    });
    let set = MoleculeSet::from_molecules(sets.iter().flat_map(MoleculeSet::molecules).map(Ok))?;
    set.with_split(Split { train, valid, test }).map_err(|fault| Error::content(folder, Place::Whole, fault))
}

#[cfg(test)]
mod tests {
    use super::load_cached;

    #[test]
    fn a_changed_source_makes_the_cache_again() {
        let folder = tempfile::tempdir().unwrap();
        let (source, cache) = (folder.path().join("s.xyz"), folder.path().join("c.safetensors"));
        std::fs::write(&source, "1\na\nH 0 0 0\n").unwrap();
        assert_eq!(load_cached(&source, &cache).unwrap().len(), 1);
        let first = std::fs::read(&cache).unwrap();
        assert_eq!(load_cached(&source, &cache).unwrap().len(), 1);
        assert_eq!(std::fs::read(&cache).unwrap(), first);
        std::fs::write(&source, "1\na\nH 0 0 0\n1\nb\nH 0 0 0\n").unwrap();
        assert_eq!(load_cached(&source, &cache).unwrap().len(), 2);
        std::fs::write(&cache, &first[..first.len() - 1]).unwrap();
        assert_eq!(load_cached(&source, &cache).unwrap().len(), 2);
    }
}
