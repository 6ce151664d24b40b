//! What `xtb` says of molecules: computed here, by several processes in shares, or read from the shards of `--shard`.

use super::super::target::Got;
use crate::failure::{Failure, Outcome};
use crate::progress::Progress;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use symdiff_mol::Molecule;
use symdiff_mol::metrics::{Energy, SinglePoint, Xtb};
use symdiff_ranks::Processes;
use symdiff_train::{Ranks, Share};

/// What `xtb` says of a molecule; `None` where it failed.
#[derive(Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) point: Option<SinglePoint>,
    /// In hartree; where molecules are relaxed, of those alone that could be.
    pub(super) total: Option<f64>,
    pub(super) energy: Option<Energy>,
    /// Why it failed.
    failure: Option<String>,
}

impl Measured {
    /// The properties that it computes.
    pub(super) fn got(&self) -> Got {
        let named = |name: &&str| Some(((*name).to_owned(), self.point?.property(name)?));
        SinglePoint::NAMES.iter().filter_map(named).collect()
    }
}

/// How `xtb` is run.
pub(super) struct Program {
    pub(super) xtb: Xtb,
    /// Whether molecules are relaxed, for the strain.
    pub(super) relaxes: bool,
}

impl Program {
    /// Properties of molecules, and energies where they are to be relaxed, computed on all threads.
    fn measure(&self, molecules: &[Molecule], progress: &Progress) -> Vec<Measured> {
        let one = |molecule: &Molecule| {
            let point = self.xtb.point(molecule);
            let relaxed = point.as_ref().ok().filter(|_| self.relaxes).map(|point| self.xtb.relaxed(molecule, point));
            progress.advance(1);
            let failure = point.as_ref().err().or_else(|| relaxed.as_ref()?.as_ref().err()).cloned();
            let (point, energy) = (point.ok(), relaxed.and_then(Result::ok));
            let total = if self.relaxes { energy.map(|energy| energy.energy) } else { point.map(|point| point.energy) };
            Measured { point, total, energy, failure }
        };
        molecules.par_iter().map(one).collect()
    }

    /// A share of some molecules, one a line after its place among all; `before` stand before them.
    pub(super) fn lines(&self, molecules: &[Molecule], before: usize, share: Share, progress: &Progress) -> Outcome<String> {
        let range = share.range(molecules.len());
        let measured = self.measure(&molecules[range.clone()], progress);
        let lines: Result<Vec<String>, _> = range.zip(measured).map(|(at, one)| serde_json::to_string(&(before + at, one))).collect();
        Ok(lines.map_err(Failure::run)?.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect())
    }
}

/// Where what `xtb` says comes from.
pub(super) enum Source<'a> {
    /// The program: each process measures a share of the molecules.
    Program(Program, &'a Processes),
    /// Shards: what was measured, by the place of the molecule.
    Shards(BTreeMap<usize, Measured>),
}

/// What `xtb` says of the molecules of a file, piece by piece.
pub(super) struct Energies<'a> {
    source: Source<'a>,
    /// Molecules so far.
    before: usize,
}

impl<'a> Energies<'a> {
    pub(super) fn new(program: Program, processes: &'a Processes) -> Self {
        Self { source: Source::Program(program, processes), before: 0 }
    }

    /// What is measured already.
    ///
    /// # Errors
    /// Lines that [`Program::lines`] has not written.
    pub(super) fn of_shards(lines: &str) -> Outcome<Self> {
        Ok(Self { source: Source::Shards(read(lines)?), before: 0 })
    }

    /// The next molecules; the log says why one could not be measured.
    pub(super) fn of(&mut self, molecules: &[Molecule], progress: &Progress) -> Outcome<Vec<Measured>> {
        let places = self.before..self.before + molecules.len();
        self.before = places.end;
        let measured: Vec<Measured> = match &mut self.source {
            Source::Program(program, processes) => {
                let mine = program.lines(molecules, places.start, Share::of(*processes), progress)?;
                let all = processes.gather(mine.as_bytes()).map_err(Failure::from)?;
                read(&String::from_utf8(all.concat()).map_err(Failure::run)?)?.into_values().collect()
            }
            Source::Shards(found) => places.filter_map(|place| found.remove(&place)).collect(),
        };
        if measured.len() != molecules.len() {
            return Err(Failure::run(format!("xtb has measured {} of {} molecules", measured.len(), molecules.len())));
        }
        for (molecule, measured) in molecules.iter().zip(&measured) {
            if let Some(why) = &measured.failure {
                tracing::warn!("{}: xtb {why}", molecule.name());
            }
        }
        Ok(measured)
    }
}

fn read(lines: &str) -> Outcome<BTreeMap<usize, Measured>> {
    lines.lines().map(|line| serde_json::from_str(line).map_err(Failure::run)).collect()
}
