//! From a published file to a packed cache: what is left out, what is added, who trains.

use super::cache::{CacheWriter, fingerprint};
use super::load::load;
use super::references::AtomReferences;
use super::split::{Split, legacy_permutation};
use crate::error::{Error, Fault, Place, Result};
use crate::formats::{self, Format, Molecules, qm9};
use crate::molecule::Molecule;
use std::collections::BTreeSet;
use std::path::Path;
use twox_hash::XxHash3_64;

/// Molecules read between two entries of the journal.
const NOTED: u64 = 8192;

/// What to do with the molecules of a file on their way into a cache.
#[derive(Debug, Clone, Default)]
pub struct Preparation {
    /// Numbers of molecules to leave out.
    pub excluded: BTreeSet<i32>,
    /// Energies of free atoms, whose sums join the properties.
    pub references: Option<AtomReferences>,
    /// A permutation of the molecules that are kept, along which GEOM-Drugs is split.
    pub permutation: Option<Vec<usize>>,
}

/// What a cache holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// Its molecules.
    pub molecules: usize,
    /// Their atoms.
    pub atoms: usize,
}

/// Writes the molecules of a file of any size into a cache, holding one at a time; `told` hears of each.
///
/// A run that was interrupted, even killed, is continued by the next one of the same file and preparation: what was packed then is not
/// packed again, and the cache is the same to the last byte. GEOM's stream gets the split of the permutation, or else of
/// `legacy_permutation(n, 0)`.
///
/// # Errors
/// Those of the reader and of the system, and a permutation of another length; the cache is then left as it was.
pub fn prepare(path: &Path, cache: &Path, preparation: &Preparation, mut told: impl FnMut()) -> Result<Prepared> {
    let source = fingerprint(path)?;
    let key = key(&source, preparation);
    let (mut writer, done) = CacheWriter::resume(cache, &key)?;
    if done > 0 {
        tracing::info!("{}: an earlier run was interrupted; continuing after molecule {done}", cache.display());
    }
    let (molecules, own_split) = opened(path)?;
    for (number, molecule) in (1..).zip(molecules) {
        let molecule = molecule?;
        if number > done {
            let fault = |fault| Error::content(path, Place::Molecule(number), fault);
            if let Some(molecule) = preparation.apply(molecule).map_err(fault)? {
                writer.push(&molecule)?;
            }
            if number.is_multiple_of(NOTED) {
                writer.note(&key, number)?;
            }
        }
        told();
    }
    let prepared = writer.so_far();
    let split = own_split.map_or_else(|| preparation.split(path, prepared.molecules), |split| Ok(Some(split)));
    writer.finish(Some(&source), split.map_err(|fault| Error::content(cache, Place::Whole, fault))?.as_ref())?;
    Ok(prepared)
}

/// Names what a cache is made of; the split is drawn at the end and plays no part.
fn key(source: &str, preparation: &Preparation) -> String {
    let options = format!("{:?} {:?}", preparation.excluded, preparation.references);
    format!("{source}, {:016x}", XxHash3_64::oneshot(options.as_bytes()))
}

/// The molecules of a file, or of a folder of three parts, which brings its split along.
fn opened(path: &Path) -> Result<(Molecules, Option<Split>)> {
    if !path.is_dir() {
        return Ok((formats::open(path)?, None));
    }
    let set = load(path)?;
    let split = set.own_split().cloned();
    Ok((formats::of_set(set), split))
}

impl Preparation {
    /// The molecule as it is kept; `None` if it is left out.
    fn apply(&self, molecule: Molecule) -> Result<Option<Molecule>, Fault> {
        let number = molecule.index().or_else(|| qm9::number_in(molecule.name()));
        let molecule = number.into_iter().fold(molecule, Molecule::with_index);
        match number {
            Some(number) if self.excluded.contains(&number) => return Ok(None),
            None if !self.excluded.is_empty() => {
                let what = format!("number of the molecule `{}`, by which to leave molecules out", molecule.name().escape_debug());
                return Err(Fault::Missing { what, remedy: "give QM9's archive, or a file whose names are like gdb_1" });
            }
            _ => {}
        }
        match &self.references {
            Some(references) => references.attach(molecule).map(Some),
            None => Ok(Some(molecule)),
        }
    }

    /// The split that comes with the kind of file.
    fn split(&self, path: &Path, molecules: usize) -> Result<Option<Split>, Fault> {
        match &self.permutation {
            Some(permutation) if permutation.len() == molecules => Ok(Some(Split::of_geom(permutation))),
            Some(permutation) => {
                let found = format!("{} places for {molecules} molecules", permutation.len());
                Err(Fault::unexpected("a permutation of all molecules", &found, "give the one that was made for this very set"))
            }
            None => Ok(usual_split(path, molecules)),
        }
    }
}

/// The split by seed of kinds of files that [`Split::published`] is not meant for.
pub(super) fn usual_split(path: &Path, molecules: usize) -> Option<Split> {
    let of_geom = Format::of(path).is_ok_and(|format| format == Format::GeomMsgpack);
    of_geom.then(|| Split::of_geom(&legacy_permutation(molecules, 0)))
}

/// The numbers that begin the lines of QM9's `uncharacterized.txt`, between its nine lines of heading and its last one.
///
/// # Errors
/// A line between them that does not begin with a number.
pub fn read_exclusions(path: &Path) -> Result<BTreeSet<i32>> {
    const HEADING: usize = 9;
    let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, "read it", source))?;
    let lines: Vec<(u64, &str)> = (1..).zip(text.lines()).collect();
    let listed = lines.get(HEADING..lines.len().saturating_sub(1)).unwrap_or_default();
    let number = |(line, text): &(u64, &str)| {
        let word = text.split_whitespace().next().unwrap_or_default();
        let wrong = |_| Fault::unexpected("a line that begins with a number", text, "give QM9's uncharacterized.txt as published");
        word.parse().map_err(|error| Error::content(path, Place::Line(*line), wrong(error)))
    };
    listed.iter().map(number).collect()
}

#[cfg(test)]
mod tests;
