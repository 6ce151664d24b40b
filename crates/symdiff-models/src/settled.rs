//! A denoiser whose weights no longer change.

use crate::Asked;
use crate::models::MoleculeDenoiser;
use symdiff_core::{MarkovKernel, Result};
use symdiff_diffusion::{At, Eps};
use symdiff_mol::state::Molecules;
use symdiff_ops::Noise;
use symdiff_ops::linear::LaidOut;

/// The same denoiser, which lays out its weights in the first call, for all others.
pub(crate) struct Settled {
    denoiser: MoleculeDenoiser,
    weights: LaidOut,
}

impl Settled {
    pub(crate) fn new(denoiser: MoleculeDenoiser, weights: LaidOut) -> Self {
        Self { denoiser, weights }
    }
}

impl MarkovKernel<At<Molecules, Asked>> for Settled {
    type Out = Eps<Molecules>;

    fn sample(&self, at: &At<Molecules, Asked>, noise: Noise) -> Result<Eps<Molecules>> {
        self.weights.during(|| self.denoiser.sample(at, noise))
    }
}
