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

use clap::Subcommand;
use profile::{Profile, WhenStarted};
use serde_json::Value;
use symdiff_cli::{Context, Listener, Outcome};
use tracing_subscriber::Layer;

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
    pub(crate) fn listener(&self) -> Option<Listener> {
        matches!(self, Self::Step(_) | Self::Sample(_)).then(|| Profile.with_filter(WhenStarted).boxed())
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
