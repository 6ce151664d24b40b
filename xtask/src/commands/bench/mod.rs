//! `bench`: time and memory.

mod backbones;
mod clouds;
mod equivariance;
mod levels;
mod memory;
mod ops;
mod overlap;
mod profile;
mod speed;
mod subject;
mod timing;

use clap::Subcommand;
use profile::{Profile, WhenStarted};
use serde_json::Value;
use symdiff_cli::{Context, Listener, Outcome};
use tracing_subscriber::Layer;

/// Measure time, memory and equivariance. Figures are medians after warm-up.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// One training step: forward pass, backward pass, clipping, AdamW, weight average.
    Step(speed::Speed),
    /// One call of the denoiser, as in sampling.
    Sample(speed::Speed),
    /// Each op alone, beside a lower bound of its time on this device.
    Ops(ops::Ops),
    /// The deviation from equivariance under O(3) of a model with random parameters.
    Equivariance(equivariance::Equivariance),
    /// Where along a trajectory samplers lose quality.
    Levels(levels::Levels),
    /// Sums of gradients over processes, after the backward pass and beside it, over a network of a given speed.
    Overlap(overlap::Overlap),
    /// Compare equivariant and symmetrised backbones of equal size, over numbers of atoms and batch sizes.
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
            Self::Levels(levels) => levels.run(context),
            Self::Overlap(overlap) => overlap.run(context),
            Self::Backbones(backbones) => backbones.run(context),
        }
    }
}
