//! What a sampler sees of a model.

use crate::names::named;
use crate::{At, Denoiser, Eps, Levels, Process, Result, Times};
use symdiff_ops::{Euclidean, Noise, Steps};

/// A denoiser along the path of its process, under a condition that stays the same along a trajectory: all that a sampler asks is the noise in z at t.
pub struct NoiseField<'a, S> {
    process: &'a Process,
    predict: Box<Predict<'a, S>>,
    kept: Option<Steps>,
}

/// A denoiser whose condition is fixed.
type Predict<'a, S> = dyn Fn(At<S>, Noise) -> Result<Eps<S>> + 'a;

named! {
    /// How long the random draws of the denoiser, above all its frames, are used.
    Framing, "frames", {
        /// Anew at each call: `fresh`.
        #[default]
        Fresh = "fresh",
        /// One draw for each sample and its whole trajectory: `kept`. With that draw fixed the denoiser is a function of state and time, and a deterministic
        /// sampler follows a smooth field.
        ///
        /// Symmetrised denoisers stay equivariant in law: the Haar draw of the trajectory may be moved by h, once. docs/src/theory.md has the proof.
        Kept = "kept",
    }
}

impl<'a, S: Euclidean + 'a> NoiseField<'a, S> {
    /// `denoiser` given a condition.
    pub fn new<C: Clone>(process: &'a Process, denoiser: &'a dyn Denoiser<S, C>, given: &'a C) -> Self {
        let predict = move |At { state, time, .. }: At<S>, noise| Ok(denoiser.sample(&At { state, time, given: given.clone() }, noise)?);
        Self { process, predict: Box::new(predict), kept: None }
    }

    /// The same with what the denoiser draws kept, or not; what is kept comes from `noise`.
    #[must_use]
    pub fn framed(self, framing: Framing, noise: Noise) -> Self {
        Self { kept: (framing == Framing::Kept).then(|| noise.steps()), ..self }
    }

    /// The process.
    pub fn process(&self) -> &'a Process {
        self.process
    }

    /// The levels at t for the samples of z.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn levels(&self, t: f64, z: &S) -> Result<Levels> {
        self.process.levels(&Times::Shared(t), z.samples().len(), &z.device())
    }

    /// The noise predicted in z at t. The denoiser draws from `noise`, or the same as before where its draws are kept.
    ///
    /// # Errors
    /// Whatever the denoiser returns.
    pub fn eps(&self, z: &S, t: f64, noise: Noise) -> Result<Eps<S>> {
        let noise = self.kept.as_ref().map_or(noise, |kept| kept.at(0));
        (self.predict)(At::new(z.clone(), Times::Shared(t)), noise)
    }
}
