//! File formats, one file each. The ending of a file's name chooses the format, behind `.gz`, `.bz2` or `.zst`.
//!
//! | ending | reads | writes | keeps |
//! |---|---|---|---|
//! | `.xyz`, `.extxyz` | yes | yes | name; extended: charges, properties |
//! | `.sdf`, `.mol` | V2000, V3000 | yes | name, bonds, charges, properties |
//! | `.jsonl` | yes | yes | name |
//! | `.npz` | packed, padded | packed | index, properties |
//! | `.smi` | | valid molecules | name |
//! | `.tar` | QM9's archive | | name, properties |
//! | `.msgpack` | GEOM's stream | | SMILES as name, energy |
//! | `.safetensors` | the packed cache | by [`crate::data::CacheWriter`] | index, properties |

mod compression;
pub mod geom;
pub mod jsonl;
pub(crate) mod npy;
pub mod npz;
pub(crate) mod number;
pub mod qm9;
pub mod sdf;
pub mod smiles;
mod source;
mod stream;
mod tar;
mod writer;
pub mod xyz;

pub use source::Source;
pub use writer::{Writer, Written, write_all};

use crate::data::{MoleculeSet, read_cache};
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
    /// XYZ whose comments describe columns and carry numbers.
    ExtendedXyz,
    /// Molfiles, one or many.
    Sdf,
    /// One JSON object a line.
    Jsonl,
    /// Numpy archive of packed or padded arrays.
    Npz,
    /// SMILES lines.
    Smiles,
    /// QM9's archive of one file a molecule.
    Qm9Tar,
    /// GEOM's stream of maps.
    GeomMsgpack,
    /// The packed cache.
    Cache,
}

impl Format {
    /// Endings, for messages.
    pub const ENDINGS: &'static str =
        ".xyz, .extxyz, .sdf, .mol, .jsonl, .npz, .smi, .tar, .msgpack, .safetensors, all but the last also with .gz, .bz2, .zst";

    /// The format that a file's ending names.
    pub fn of(path: &Path) -> Result<Self> {
        let name = compression::bare_name(path).to_ascii_lowercase();
        if name.ends_with(".msgpack.tar") {
            return Ok(Self::GeomMsgpack);
        }
        Ok(match name.rsplit('.').next() {
            Some("xyz") => Self::Xyz,
            Some("extxyz") => Self::ExtendedXyz,
            Some("sdf" | "sd" | "mol") => Self::Sdf,
            Some("jsonl") => Self::Jsonl,
            Some("npz") => Self::Npz,
            Some("smi") => Self::Smiles,
            Some("tar") => Self::Qm9Tar,
            Some("msgpack") => Self::GeomMsgpack,
            Some("safetensors") => Self::Cache,
            _ => return Err(Error::unknown_format(path, Self::ENDINGS)),
        })
    }
}

/// Opens a file of molecules.
///
/// # Errors
/// Missing file or unknown ending; damaged content is reported by the item it is found in.
pub fn open(path: &Path) -> Result<Molecules> {
    match Format::of(path)? {
        Format::Cache => Ok(of_set(read_cache(path)?)),
        format => read(format, Source::open(path)?, path),
    }
}

/// The molecules of an open source, taken for this format.
///
/// # Errors
/// Damage of a format that is read as a whole, and formats that are not read from a stream.
pub fn read(format: Format, source: Source, path: &Path) -> Result<Molecules> {
    Ok(match format {
        Format::Xyz | Format::ExtendedXyz => Box::new(xyz::read(source)),
        Format::Sdf => Box::new(sdf::read(source)),
        Format::Jsonl => Box::new(jsonl::read(source)),
        Format::Qm9Tar => Box::new(qm9::read(source)),
        Format::GeomMsgpack => Box::new(geom::read(source, geom::PUBLISHED_CONFORMERS)?),
        Format::Npz => of_set(npz::read(source, path)?),
        Format::Smiles | Format::Cache => {
            let readable = "the formats with coordinates: .xyz, .sdf, .jsonl, .npz, .tar, .msgpack";
            return Err(Error::unknown_format(path, readable));
        }
    })
}

/// The molecules of a set, which they own.
pub(crate) fn of_set(set: MoleculeSet) -> Molecules {
    Box::new((0..set.len()).map(move |i| Ok(set.molecule(i))))
}
