//! From a published file to a packed cache: what is left out, what is added, who trains.

use super::cache::{CacheWriter, stamp};
use super::load::load;
use super::references::AtomReferences;
use super::split::{Half, Split};
use super::units;
use crate::error::{Error, Fault, Place, Result};
use crate::formats::{self, Molecules, Source, qm9};
use crate::molecule::Molecule;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use twox_hash::XxHash3_64;

/// Molecules read between two entries of the journal.
const NOTED: u64 = 8192;

/// What to do with the molecules of a file on their way into a cache.
///
/// The published code's options, in its order: `exclude`, its references of atoms, `qm9_first_half` and `qm9_second_half`, `remove_h`, energies in
/// electronvolts, `filter_n_atoms`. Whether models see atomic numbers (`include_charges`) is a matter of the
/// [`Encoding`](crate::state::Encoding), not of the data.
#[derive(Debug, Clone, Default)]
pub struct Preparation {
    /// Numbers of molecules to leave out.
    pub excluded: BTreeSet<i32>,
    /// Energies of free atoms, whose sums join the properties.
    pub references: Option<AtomReferences>,
    /// A permutation of the molecules that are kept, along which GEOM-Drugs is split.
    pub permutation: Option<Vec<usize>>,
    /// Which half of the training part trains; the other half stays in the file and belongs to no part.
    pub half: Option<Half>,
    /// Leaves hydrogens out, and molecules of nothing else.
    pub without_hydrogens: bool,
    /// Turns QM9's energies from hartree into electronvolts, and `zpve` into thousandths of them.
    pub electron_volts: bool,
    /// How many atoms a molecule may have, without hydrogens where they are left out. The split is that of all molecules.
    pub atoms: Option<RangeInclusive<usize>>,
    /// Reports molecules that cannot be read and leaves them out, where the format shows where the next one begins.
    pub skip_bad: bool,
}

/// What a cache holds, and what it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// Its molecules.
    pub molecules: usize,
    /// Their atoms.
    pub atoms: usize,
    /// Molecules that were left out as asked.
    pub left_out: usize,
    /// Molecules that could not be read.
    pub skipped: usize,
}

/// Writes the molecules of a file of any size into a cache, holding one at a time; `progress` is called for each.
///
/// A run that was interrupted, even killed, is continued by the next one of the same file and preparation: what was packed then is not
/// packed again, and the cache is the same to the last byte. GEOM's stream gets the split of the permutation, or else of
/// `legacy_permutation(n, 0)`.
///
/// # Errors
/// A place where no file can be, before anything is read; those of the reader and of the system, a permutation of another length or for a folder
/// that brings its split along, and a file of which nothing is kept. An older cache is then as it was.
pub fn prepare(path: &Path, cache: &Path, preparation: &Preparation, mut progress: impl FnMut()) -> Result<Prepared> {
    let source = stamp(path)?;
    let key = key(&source, preparation);
    let (mut writer, done) = CacheWriter::resume(cache, &key)?;
    if done > 0 {
        tracing::info!("{}: an earlier run was interrupted; continuing after molecule {done}", cache.display());
    }
    let skipped = Arc::new(AtomicUsize::new(0));
    let (molecules, own_split) = opened(path, preparation.skip_bad.then(|| Arc::clone(&skipped)))?;
    let own = own_split.is_some();
    if own && preparation.permutation.is_some() {
        let remedy = "leave the permutation out, or give one file instead of the folder";
        let fault =
            Fault::unexpected("molecules without a split of their own, since a permutation is given", "a folder with a split", remedy);
        return Err(Error::content(path, Place::Whole, fault));
    }
    let mut places = Places::default();
    let mut left_out = 0;
    for (number, molecule) in (1..).zip(molecules) {
        let fault = |fault| Error::content(path, Place::Molecule(number), fault);
        let molecule = preparation.apply(molecule?).map_err(fault)?;
        let kept = molecule.as_ref().filter(|molecule| preparation.atoms.as_ref().is_none_or(|range| range.contains(&molecule.len())));
        left_out += usize::from(kept.is_none());
        // A split of the folder counts all its molecules; one that is drawn counts those that are kept but for their sizes.
        if own || (preparation.atoms.is_some() && molecule.is_some()) {
            places.push(kept.is_some());
        }
        if number > done {
            if let Some(molecule) = kept {
                writer.push(molecule)?;
            }
            if number.is_multiple_of(NOTED) {
                writer.note(&key, number)?;
            }
        }
        progress();
    }
    let (molecules, atoms) = writer.so_far();
    if molecules == 0 {
        return Err(Error::content(path, Place::Whole, Fault::Empty { what: "what is kept of the file", unit: "molecule" }));
    }
    let all = if preparation.atoms.is_some() { places.0.len() } else { molecules };
    let in_cache = |fault| Error::content(cache, Place::Whole, fault);
    let split = match own_split {
        Some(split) => Some(split),
        None => preparation.split(path, all).map_err(in_cache)?,
    };
    let split = match preparation.half {
        Some(half) => Some(split.unwrap_or_else(|| Split::published(all)).half(half)),
        None => split,
    };
    let split = if own || preparation.atoms.is_some() {
        Some(split.unwrap_or_else(|| Split::published(all)).moved(|place| places.now(place)))
    } else {
        split
    };
    writer.finish(Some(&source), split.as_ref())?;
    Ok(Prepared { molecules, atoms, left_out, skipped: skipped.load(Ordering::Relaxed) })
}

/// The places in the cache of the molecules that a split counts; `None` for those that are left out.
#[derive(Default)]
struct Places(Vec<Option<u32>>, u32);

impl Places {
    fn push(&mut self, kept: bool) {
        self.0.push(kept.then_some(self.1));
        self.1 += u32::from(kept);
    }

    fn now(&self, place: usize) -> Option<usize> {
        self.0.get(place).copied().flatten().map(|place| place as usize)
    }
}

/// Names what a cache is made of; the split is drawn at the end and plays no part.
fn key(source: &str, preparation: &Preparation) -> String {
    let Preparation { excluded, references, without_hydrogens, electron_volts, atoms, skip_bad, permutation: _, half: _ } = preparation;
    let options = format!("{excluded:?} {references:?} {without_hydrogens} {electron_volts} {atoms:?} {skip_bad}");
    format!("{source}, {:016x}", XxHash3_64::oneshot(options.as_bytes()))
}

/// The molecules of a file, or of a folder of three parts, which brings its split along. With a counter, bad molecules are counted and skipped.
fn opened(path: &Path, skipped: Option<Arc<AtomicUsize>>) -> Result<(Molecules, Option<Split>)> {
    if !path.is_dir() {
        let Some(skipped) = skipped else {
            return Ok((formats::open(path)?, None));
        };
        let report = move |error: &Error| {
            skipped.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("{error}; this molecule is skipped");
        };
        return Ok((formats::open_skipping(path, report)?, None));
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
        let mut molecule = match &self.references {
            Some(references) => references.attach(molecule)?,
            None => molecule,
        };
        if self.electron_volts {
            molecule = units::in_electron_volts(molecule);
        }
        Ok(if self.without_hydrogens { molecule.without_hydrogens() } else { Some(molecule) })
    }

    /// The split that comes with the kind of file.
    fn split(&self, path: &Path, molecules: usize) -> Result<Option<Split>, Fault> {
        match &self.permutation {
            Some(permutation) if permutation.len() == molecules => Ok(Some(Split::of_geom(permutation))),
            Some(permutation) => {
                let found = format!("{} places for {molecules} molecules", permutation.len());
                Err(Fault::unexpected("a permutation of all molecules", &found, "give the one that was made for this very set"))
            }
            None => Ok(Split::of_format(path, molecules)),
        }
    }
}

/// The numbers of molecules to leave out: those that lines begin with, such as in QM9's `uncharacterized.txt`, whose heading and last line are
/// no such lines.
///
/// That last line gives the total (`3054 compounds`): a last line that begins with the number of the lines before it is taken for one, unless
/// the list is of bare numbers.
///
/// # Errors
/// A number that no molecule can have, or no number at all.
pub fn read_exclusions(path: &Path) -> Result<BTreeSet<i32>> {
    let mut source = Source::open(path)?;
    let mut listed: Vec<(i32, bool)> = Vec::new();
    let mut whole = true;
    while let Some(line) = source.next_line()? {
        let mut words = line.split_whitespace();
        let first = words.next().map(|word| word.trim_end_matches([',', ';'])).unwrap_or_default();
        if first.parse::<f64>().is_ok_and(f64::is_finite) {
            let wrong = || Fault::unexpected("the number of a molecule", first, "list whole numbers from 1");
            let number = first.parse().ok().filter(|number| *number > 0).ok_or_else(wrong);
            let more = words.next().is_some();
            listed.push((number.map_err(|fault| source.fault(fault))?, more));
            whole = more || source.line_was_ended();
        }
    }
    let bare = listed.iter().all(|(_, more)| !more);
    if listed.last().is_some_and(|(number, _)| !bare && *number as usize == listed.len() - 1) {
        listed.pop();
    } else if !bare && !whole {
        return Err(source.truncated("a number of a molecule to leave out".to_owned()));
    }
    if listed.is_empty() {
        return Err(Error::content(path, Place::Whole, Fault::Empty { what: "the list of molecules to leave out", unit: "number" }));
    }
    Ok(listed.into_iter().map(|(number, _)| number).collect())
}

#[cfg(test)]
mod tests;
