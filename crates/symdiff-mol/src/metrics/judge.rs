//! A protocol applied to many molecules: read in pieces, judged on all threads, told in order.

use crate::chemistry::{Protocol, Verdict};
use crate::data::MoleculeSet;
use crate::error::{Error, Place, Result};
use crate::formats;
use crate::molecule::Molecule;
use rayon::prelude::*;
use std::path::Path;

/// Molecules held at a time, so that a file of any length fits into memory.
const PIECE: usize = 2048;

/// Judges every molecule of a file and hands the verdicts over in the file's order.
///
/// # Errors
/// Those of the reader and of [`Protocol::judge`] with the file and the molecule, and whatever `tell` returns.
pub fn judge_file<E: From<Error>>(path: &Path, protocol: Protocol, tell: impl FnMut(&Verdict) -> Result<(), E>) -> Result<(), E> {
    judge_all(formats::open(path)?, protocol, tell, |at, fault| Error::content(path, Place::Molecule(at as u64 + 1), fault))
}

/// Judges every molecule of a set in its order.
///
/// # Errors
/// Those of [`Protocol::judge`] with the molecule counted from zero, and whatever `tell` returns.
pub fn judge_set<E: From<Error>>(set: &MoleculeSet, protocol: Protocol, tell: impl FnMut(&Verdict) -> Result<(), E>) -> Result<(), E> {
    let molecules = set.molecules().map(Ok);
    judge_all(molecules, protocol, tell, |at, fault| fault.at(at))
}

fn judge_all<E: From<Error>>(
    mut molecules: impl Iterator<Item = Result<Molecule>>,
    protocol: Protocol,
    mut tell: impl FnMut(&Verdict) -> Result<(), E>,
    located: impl Fn(usize, crate::error::Fault) -> Error,
) -> Result<(), E> {
    let mut before = 0;
    loop {
        let piece: Vec<Molecule> = molecules.by_ref().take(PIECE).collect::<Result<_>>()?;
        if piece.is_empty() {
            return Ok(());
        }
        let verdicts: Vec<_> = piece.par_iter().map(|m| protocol.judge(m)).collect();
        for (at, verdict) in verdicts.into_iter().enumerate() {
            tell(&verdict.map_err(|fault| located(before + at, fault))?)?;
        }
        before += piece.len();
    }
}
