//! The parsers of files that may come from anywhere: the one list, which the fuzz targets and the tests share.

use std::path::Path;
use symdiff_mol::data::{self, AtomReferences};
use symdiff_mol::formats::{self, Format, Source};
use symdiff_mol::{Error, Molecule};

/// Reads bytes that bear a name, and returns the numbers in them.
pub(crate) type Parser = fn(&str, &[u8]) -> Result<Vec<f64>, Error>;

/// Every parser; `tests/corpus/NAME` holds files that it reads.
pub(crate) const PARSERS: [(&str, Parser); 10] = [
    ("xyz", |name, bytes| molecules(Format::Xyz, name, bytes)),
    ("sdf", |name, bytes| molecules(Format::Sdf, name, bytes)),
    ("jsonl", |name, bytes| molecules(Format::Jsonl, name, bytes)),
    ("npz", |name, bytes| molecules(Format::Npz, name, bytes)),
    ("qm9", |name, bytes| molecules(Format::Qm9Tar, name, bytes)),
    ("geom", |name, bytes| molecules(Format::GeomMsgpack, name, bytes)),
    ("cache", |name, bytes| stored(name, bytes, |path| Ok(data::read_cache(path)?.molecules().flat_map(|m| numbers(&m)).collect()))),
    ("exclusions", |name, bytes| stored(name, bytes, |path| Ok(data::read_exclusions(path)?.into_iter().map(f64::from).collect()))),
    ("references", |name, bytes| stored(name, bytes, |path| Ok(AtomReferences::read(path)?.energies().flatten().collect()))),
    ("permutation", |name, bytes| stored(name, bytes, |path| Ok(data::read_permutation(path)?.into_iter().map(|i| i as f64).collect()))),
];

/// What must hold of any bytes: the parser returns, and a refusal names the file.
pub(crate) fn answers(parser: &str, bytes: &[u8]) {
    let (name, parse) = PARSERS.iter().find(|(name, _)| *name == parser).expect("the target bears a parser's name");
    if let Err(error) = parse(name, bytes) {
        assert!(error.to_string().contains(name), "{error}");
    }
}

fn molecules(format: Format, name: &str, bytes: &[u8]) -> Result<Vec<f64>, Error> {
    let mut all = Vec::new();
    for molecule in formats::read(format, Source::from_bytes(name, bytes.to_vec())?, Path::new(name))? {
        all.extend(numbers(&molecule?));
    }
    Ok(all)
}

fn numbers(molecule: &Molecule) -> Vec<f64> {
    molecule.positions().iter().flatten().copied().collect()
}

/// Reads from a file: a new one each time, since changing one that is mapped would be the caller's fault.
fn stored(name: &str, bytes: &[u8], read: impl Fn(&Path) -> Result<Vec<f64>, Error>) -> Result<Vec<f64>, Error> {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a temporary file can be written");
    read(&path)
}
