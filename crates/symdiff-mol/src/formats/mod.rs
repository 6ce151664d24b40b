//! File formats, one file each. The ending of a file's name chooses the format, behind `.gz`, `.bz2` or `.zst`.
//!
//! | ending | reads | writes | keeps |
//! |---|---|---|---|
//! | `.xyz`, `.extxyz` | yes | yes | name, D and T; extended: charges, properties |
//! | `.sdf`, `.mol`, `.mdl` | V2000, V3000 | yes | name, bonds, charges, isotopes, properties |
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
#[cfg(test)]
pub(crate) mod testing;
mod writer;
pub mod xyz;

pub use source::Source;
pub use writer::{Writer, Written, can_write, write_all, write_to};

use crate::data::{MoleculeSet, read_cache};
use crate::error::{Error, Result};
use crate::molecule::Molecule;
use std::path::Path;
use stream::Report;

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
        let (name, _) = compression::bare_name(path);
        if name.ends_with(".msgpack.tar") {
            return Ok(Self::GeomMsgpack);
        }
        Ok(match name.rsplit('.').next() {
            Some("xyz") => Self::Xyz,
            Some("extxyz") => Self::ExtendedXyz,
            Some("sdf" | "sd" | "mol" | "mdl") => Self::Sdf,
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
    opened(path, None)
}

/// Opens a file of molecules of which those that cannot be read are reported and left out.
///
/// Whether the next molecule can be found behind a bad one is a matter of the format: it can in SDF (`$$$$`), JSON lines, archives of files, and
/// in frames whose atom count is right. Elsewhere the first fault still ends the stream.
///
/// # Errors
/// Those of [`open`].
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("two.xyz");
/// std::fs::write(&path, "1\nbad\nXx 0 0 0\n1\ngood\nH 0 0 0\n")?;
/// let molecules = symdiff_mol::formats::open_skipping(&path, |why| eprintln!("{why}"))?;
/// assert_eq!(molecules.count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn open_skipping(path: &Path, report: impl FnMut(&Error) + Send + 'static) -> Result<Molecules> {
    opened(path, Some(Box::new(report)))
}

fn opened(path: &Path, skipping: Option<Report>) -> Result<Molecules> {
    match Format::of(path)? {
        Format::Cache => Ok(of_set(read_cache(path)?)),
        format => streamed(format, Source::open(path)?, path, skipping),
    }
}

/// The molecules of an open source, taken for this format.
///
/// # Errors
/// Damage of a format that is read as a whole, and formats that are not read from a stream.
pub fn read(format: Format, source: Source, path: &Path) -> Result<Molecules> {
    streamed(format, source, path, None)
}

fn streamed(format: Format, source: Source, path: &Path, skipping: Option<Report>) -> Result<Molecules> {
    Ok(match format {
        Format::Xyz => Box::new(xyz::stream(source, xyz::Dialect::Plain, skipping)),
        Format::ExtendedXyz => Box::new(xyz::stream(source, xyz::Dialect::Extended, skipping)),
        Format::Sdf => Box::new(sdf::stream(source, skipping)),
        Format::Jsonl => Box::new(jsonl::stream(source, skipping)),
        Format::Qm9Tar => Box::new(qm9::stream(source, skipping)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_those_that_people_have() {
        let of = |name: &str| Format::of(Path::new(name)).ok();
        for (name, format) in [
            ("a.XYZ.GZ", Format::Xyz),
            ("a.tgz", Format::Qm9Tar),
            ("dsgdb9nsd.xyz.tar.bz2", Format::Qm9Tar),
            ("a.tbz2", Format::Qm9Tar),
            ("drugs_crude.msgpack.tgz", Format::GeomMsgpack),
            ("a.mdl", Format::Sdf),
            ("a.Mol", Format::Sdf),
        ] {
            assert_eq!(of(name), Some(format), "{name}");
        }
        assert_eq!((of("a.gz"), of("a"), of("/dev/zero")), (None, None, None));
    }
}
