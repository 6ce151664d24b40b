//! `bench`: how fast, and in how much memory.

mod memory;
mod profile;
mod speed;

pub(crate) use profile::Profile;

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
}

impl Bench {
    /// The listener that `--profile` asks for.
    pub(crate) fn profile(&self) -> Option<Profile> {
        let (Self::Step(speed) | Self::Sample(speed)) = self;
        speed.profile.then_some(Profile)
    }

    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        match self {
            Self::Step(speed) => speed.step(context),
            Self::Sample(speed) => speed.sample(context),
        }
    }
}
