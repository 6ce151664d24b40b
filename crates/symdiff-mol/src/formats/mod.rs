//! File formats, one file each. A format is chosen by the ending of a file's name.

pub mod jsonl;
mod npy;
pub mod npz;
mod number;
mod source;
pub mod xyz;

pub use source::Source;

use crate::error::{Error, Result};
use crate::molecule::Molecule;
use std::path::Path;

/// Molecules as a reader yields them, one after the other.
pub type Molecules = Box<dyn Iterator<Item = Result<Molecule>> + Send>;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Frames of `count`, comment, `symbol x y z`.
    Xyz,
    /// One JSON object a line.
    Jsonl,
    /// Numpy archive of packed arrays.
    Npz,
}

/// Endings, for messages.
const ENDINGS: &str = ".xyz, .jsonl, .npz";

impl Format {
    /// The format that a file's ending names.
    pub fn of(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match name.rsplit('.').next() {
            Some("xyz") => Ok(Self::Xyz),
            Some("jsonl") => Ok(Self::Jsonl),
            Some("npz") => Ok(Self::Npz),
            _ => Err(Error::UnknownFormat { path: path.to_owned(), known: ENDINGS }),
        }
    }
}

/// Opens a file of molecules.
///
/// # Errors
/// Missing file or unknown ending; damaged content is reported by the item it is found in.
pub fn open(path: &Path) -> Result<Molecules> {
    Ok(match Format::of(path)? {
        Format::Xyz => Box::new(xyz::Reader::new(Source::open(path)?)),
        Format::Jsonl => Box::new(jsonl::Reader::new(Source::open(path)?)),
        Format::Npz => {
            let set = npz::read(path)?;
            Box::new((0..set.len()).map(move |i| Ok(set.molecule(i))))
        }
    })
}
