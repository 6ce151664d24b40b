//! What is counted about a set of molecules.

use super::super::target::Targets;
use crate::failure::{Failure, Outcome};
use crate::progress::Progress;
use rayon::prelude::*;
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::{Protocol, Verdict};
use symdiff_mol::metrics::{CheckTally, Energy, Profile, SinglePoint, Tally, Xtb};

/// All that is counted about a set of molecules.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) tally: Tally,
    pub(super) checks: CheckTally,
    pub(super) profile: Profile,
    /// Atoms and energy of each molecule.
    pub(super) energies: Vec<(usize, Option<Energy>)>,
    pub(super) targets: Targets,
}

impl Seen {
    pub(super) fn observe(&mut self, molecules: &[Molecule], verdicts: &[Verdict], protocol: Protocol, compared: bool) -> Outcome<()> {
        for verdict in verdicts {
            self.tally.observe(verdict);
        }
        self.checks.observe(molecules, protocol).map_err(Failure::input)?;
        if compared {
            self.profile.observe(molecules);
        }
        Ok(())
    }
}

/// What `xtb` says of a molecule; `None` where it failed.
pub(super) struct Measured {
    pub(super) point: Option<SinglePoint>,
    /// In hartree; where molecules are relaxed, of those alone that could be.
    pub(super) total: Option<f64>,
    pub(super) energy: Option<Energy>,
}

/// Properties of molecules, and energies where they are to be relaxed, computed on all threads; the log says why one is missing.
pub(super) fn measure(xtb: &Xtb, molecules: &[Molecule], relaxes: bool, progress: &Progress) -> Vec<Measured> {
    let one = |molecule: &Molecule| {
        let told = |why: &String| tracing::warn!("{}: xtb {why}", molecule.name());
        let point = xtb.point(molecule).inspect_err(told).ok();
        let energy = point.filter(|_| relaxes).and_then(|point| xtb.relaxed(molecule, &point).inspect_err(told).ok());
        progress.advance(1);
        let total = if relaxes { energy.map(|energy| energy.energy) } else { point.map(|point| point.energy) };
        Measured { point, total, energy }
    };
    molecules.par_iter().map(one).collect()
}
