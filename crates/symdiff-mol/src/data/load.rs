//! A data set from a file, whatever its format.

use super::cache::read_cache;
use super::set::{MoleculeSet, in_file};
use crate::error::{Error, Fault, Place, Result};
use crate::formats::{self, Format, Source};
use std::path::Path;

/// Reads all molecules of a file into a packed set.
///
/// # Errors
/// A sentence that names file, place and remedy: missing file, unknown ending, damaged content, or no molecule in it.
pub fn load(path: &Path) -> Result<MoleculeSet> {
    let set = match Format::of(path)? {
        Format::Cache => read_cache(path)?,
        Format::Npz => formats::npz::read(Source::open(path)?, path)?,
        _ => MoleculeSet::from_molecules(formats::open(path)?).map_err(|error| in_file(error, path))?,
    };
    if set.is_empty() {
        let fault = Fault::Empty { what: "the file", unit: "molecule" };
        return Err(Error::content(path, Place::Whole, fault));
    }
    Ok(set)
}
