//! A protocol applied to many molecules: read in pieces, judged on all threads, reported in order.

use crate::chemistry::{Protocol, Verdict};
use crate::data::MoleculeSet;
use crate::error::{Error, Fault, Place, Result};
use crate::formats::{self, Molecules};
use crate::molecule::Molecule;
use rayon::prelude::*;
use std::path::Path;

/// Molecules held at a time, so that a file of any length fits into memory.
const PIECE: usize = 2048;

/// Judges every molecule of a file and hands the verdicts over in the file's order.
///
/// # Errors
/// Those of the reader and of [`Protocol::judge`] with the file and the molecule, and whatever `tell` returns.
pub fn judge_file<E: From<Error>>(path: &Path, protocol: Protocol, mut tell: impl FnMut(&Verdict) -> Result<(), E>) -> Result<(), E> {
    judge_pieces(Input::File(path), protocol, |_, verdicts| verdicts.iter().try_for_each(&mut tell))
}

/// Judges every molecule of a set in its order.
///
/// # Errors
/// Those of [`Protocol::judge`] with the molecule counted from zero, and whatever `tell` returns.
pub fn judge_set<E: From<Error>>(set: &MoleculeSet, protocol: Protocol, mut tell: impl FnMut(&Verdict) -> Result<(), E>) -> Result<(), E> {
    judge_pieces(Input::Set(set), protocol, |_, verdicts| verdicts.iter().try_for_each(&mut tell))
}

/// Where molecules to be judged come from.
pub enum Input<'a> {
    /// A file of any format that can be read.
    File(&'a Path),
    /// A file that is open already, such as one whose bad molecules are skipped.
    Open(&'a Path, Molecules),
    /// A set in memory.
    Set(&'a MoleculeSet),
}

/// Judges in pieces and hands over each piece of molecules with its verdicts, so that more can be asked of them.
///
/// # Errors
/// Those of [`judge_file`] or [`judge_set`].
pub fn judge_pieces<E: From<Error>>(
    input: Input<'_>,
    protocol: Protocol,
    mut tell: impl FnMut(&[Molecule], &[Verdict]) -> Result<(), E>,
) -> Result<(), E> {
    let (path, mut molecules): (_, Box<dyn Iterator<Item = Result<Molecule>> + '_>) = match input {
        Input::File(path) => (Some(path), formats::open(path)?),
        Input::Open(path, molecules) => (Some(path), molecules),
        Input::Set(set) => (None, Box::new(set.molecules().map(Ok))),
    };
    let located = |at: usize, fault: Fault| match path {
        Some(path) => Error::content(path, Place::Molecule(at as u64 + 1), fault),
        None => fault.at(at),
    };
    let mut before = 0;
    loop {
        let piece: Vec<Molecule> = molecules.by_ref().take(PIECE).collect::<Result<_>>()?;
        if piece.is_empty() {
            return Ok(());
        }
        let verdicts: Result<Vec<_>> = piece
            .par_iter()
            .enumerate()
            .map(|(at, molecule)| protocol.judge(molecule).map_err(|fault| located(before + at, fault)))
            .collect();
        tell(&piece, &verdicts?)?;
        before += piece.len();
    }
}
