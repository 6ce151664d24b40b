//! What an undisturbed run comes to, for comparison.

use super::Ground;
use super::litter::names;
use super::trial::Verdict;
use super::work::Work;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;
use symdiff_cli::{Failure, Outcome};

/// An undisturbed run of some work.
pub(super) struct Calm {
    /// What it comes to.
    pub(super) result: Vec<u8>,
    /// That it takes.
    pub(super) seconds: f64,
    /// The files that it leaves.
    names: BTreeSet<String>,
}

impl Calm {
    pub(super) fn of(ground: &Ground, work: &dyn Work) -> Outcome<Self> {
        let out = ground.folder.join("calm");
        let clock = Instant::now();
        let end = ground.run(&work.command(&out))?;
        let seconds = clock.elapsed().as_secs_f64();
        let result = work.result(&out).filter(|_| end.succeeded());
        let result = result.ok_or_else(|| Failure::run(format!("an undisturbed run fails: {}", end.said())))?;
        Ok(Self { result, seconds, names: names(&out) })
    }

    /// The verdict on a run that has succeeded: the same result, and the same files.
    pub(super) fn compared(&self, work: &dyn Work, out: &Path) -> Verdict {
        if work.result(out).as_ref() != Some(&self.result) {
            Verdict::Different
        } else if names(out) != self.names {
            Verdict::Litter
        } else {
            Verdict::Same
        }
    }
}
