//! `bench`: how fast, and in how much memory.

mod backbones;
mod clouds;
mod equivariance;
mod memory;
mod ops;
mod profile;
mod speed;
mod subject;
mod timing;

pub(crate) use profile::{Profile, WhenStarted};

use crate::failure::Outcome;
use crate::output::Context;
use clap::Subcommand;
use serde_json::Value;

/// Measure. Figures are medians after warm-up.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// One training step: forward, backward, clip, AdamW, average.
    Step(speed::Speed),
    /// One call of the denoiser at sampling.
    Sample(speed::Speed),
    /// Each op alone, beside the least time that this device could need for it.
    Ops(ops::Ops),
    /// How far a model with random parameters is from equivariant under O(3).
    Equivariance(equivariance::Equivariance),
    /// Equivariant against symmetrised backbones of one number of parameters, over sizes of molecules and batches.
    Backbones(backbones::Backbones),
}

impl Bench {
    /// The listener that profiles and counts of operations need.
    pub(crate) fn profile(&self) -> Option<Profile> {
        matches!(self, Self::Step(_) | Self::Sample(_)).then_some(Profile)
    }

    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        match self {
            Self::Step(speed) => speed.step(context),
            Self::Sample(speed) => speed.sample(context),
            Self::Ops(ops) => ops.run(context),
            Self::Equivariance(equivariance) => equivariance.run(context),
            Self::Backbones(backbones) => backbones.run(context),
        }
    }
}
