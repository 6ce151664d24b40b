//! What a sampler sees of a model.

use crate::{At, Denoiser, Eps, Levels, Process, Result, Times};
use symdiff_ops::{Euclidean, Noise};

/// A denoiser along the path of its process, under a condition that stays the same along a trajectory: all that a sampler asks is the noise in z at t.
pub struct Field<'a, S> {
    process: &'a Process,
    predict: Box<dyn Fn(At<S>, Noise) -> Result<Eps<S>> + 'a>,
}

impl<'a, S: Euclidean + 'a> Field<'a, S> {
    /// `denoiser` given a condition.
    pub fn new<C: Clone>(process: &'a Process, denoiser: &'a dyn Denoiser<S, C>, given: &'a C) -> Self {
        let predict = move |At { state, time, .. }: At<S>, noise| Ok(denoiser.sample(&At { state, time, given: given.clone() }, noise)?);
        Self { process, predict: Box::new(predict) }
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

    /// The noise predicted in z at t.
    ///
    /// # Errors
    /// Whatever the denoiser returns.
    pub fn eps(&self, z: &S, t: f64, noise: Noise) -> Result<Eps<S>> {
        (self.predict)(At::new(z.clone(), Times::Shared(t)), noise)
    }
}
