//! A data set from a file, whatever its format.

use super::cache::read_cache;
use super::preparation::usual_split;
use super::set::{MoleculeSet, in_file};
use super::split::Split;
use crate::error::{Error, Fault, Place, Result};
use crate::formats::{self, Format};
use std::path::Path;

/// The files of a folder that the published Python code leaves: a split that is already made.
pub(super) const PARTS: [&str; 3] = ["train.npz", "valid.npz", "test.npz"];

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
    match usual_split(path, set.len()) {
        Some(split) => set.with_split(split).map_err(|fault| Error::content(path, Place::Whole, fault)),
        None => Ok(set),
    }
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
