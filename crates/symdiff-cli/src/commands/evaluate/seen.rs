//! What is counted about a set of molecules.

use super::super::target::Targets;
use crate::failure::{Failure, Outcome};
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::{Protocol, Verdict};
use symdiff_mol::metrics::{CheckTally, Energy, Profile, Tally};

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
