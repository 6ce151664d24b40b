//! A protocol applied to a whole file: read in pieces, judged on all threads, told in order.

use crate::chemistry::{Protocol, Verdict};
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
pub fn judge_file<E: From<Error>>(path: &Path, protocol: Protocol, mut tell: impl FnMut(&Verdict) -> Result<(), E>) -> Result<(), E> {
    let mut molecules = formats::open(path)?;
    let mut before = 0;
    loop {
        let piece: Vec<Molecule> = molecules.by_ref().take(PIECE).collect::<Result<_>>()?;
        if piece.is_empty() {
            return Ok(());
        }
        let verdicts: Vec<_> = piece.par_iter().map(|m| protocol.judge(m)).collect();
        for (at, verdict) in verdicts.into_iter().enumerate() {
            let place = Place::Molecule(before + at as u64 + 1);
            tell(&verdict.map_err(|fault| Error::content(path, place, fault))?)?;
        }
        before += piece.len() as u64;
    }
}
