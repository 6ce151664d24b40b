//! From noise to data.

mod ancestral;
mod ddim;
mod dpm_solver;
mod method;

pub use ancestral::Ancestral;
pub use ddim::Ddim;
pub use dpm_solver::{DpmSolver, Past};
pub use method::Method;

use crate::time::fraction;
use crate::{At, Denoiser, Eps, Error, Levels, Process, Reconstruction, Result, Schedule, Times};
use symdiff_ops::{Euclidean, Noise};

/// One step back in time, from t to s < t.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// t, the later and noisier.
    pub from: f64,
    /// s.
    pub to: f64,
}

impl Span {
    /// The levels at t and at s.
    fn levels<S: Euclidean, Q: Schedule>(self, process: &Process<Q>, z: &S) -> Result<[Levels; 2]> {
        let at = |time| process.levels(&Times::Shared(time), z.samples().len(), &z.device());
        Ok([at(self.from)?, at(self.to)?])
    }
}

/// A rule for stepping from z_t to z_s. What a multistep rule remembers is a value passed in and out, not a field.
pub trait Sampler<S: Euclidean> {
    /// Past predictions; `()` where there are none.
    type Memory: Default;

    /// z_s from z_t. Draws the denoiser's noise first, then its own.
    ///
    /// # Errors
    /// Whatever the denoiser returns.
    fn step<Q: Schedule>(
        &self,
        process: &Process<Q>,
        denoiser: &dyn Denoiser<S>,
        span: Span,
        z: &S,
        memory: Self::Memory,
        noise: Noise,
    ) -> Result<(S, Self::Memory)>;
}

/// The learned reverse process: a forward process, the denoiser that undoes it, and the reading of data off its end.
#[derive(Clone, Copy)]
pub struct Reverse<'a, S, Q, R> {
    /// The forward process.
    pub process: &'a Process<Q>,
    /// ε(z, t).
    pub denoiser: &'a dyn Denoiser<S>,
    /// p(data | z₀).
    pub data: &'a R,
}

impl<S: Euclidean, Q: Schedule, R: Reconstruction<S>> Reverse<'_, S, Q, R> {
    /// Draws samples shaped like `like`, whose values are not read, in `steps` steps (T, or fewer, evenly spaced). `progress` hears of each step done.
    ///
    /// # Errors
    /// [`Error::Config`] when `steps` is 0 or more than T; whatever the denoiser returns.
    pub fn sample<P: Sampler<S>>(
        &self,
        sampler: &P,
        like: &S,
        steps: usize,
        noise: Noise,
        progress: &mut dyn FnMut(usize),
    ) -> Result<R::Decoded> {
        let total = self.process.steps();
        if steps == 0 || steps > total {
            return Err(Error::Config(format!("{steps} sampling steps asked for; the process has {total}, take 1 to {total}")));
        }
        let [start, walk, last] = noise.split();
        let walk = walk.steps();
        let time = |k: usize| fraction(((k * total) as f64 / steps as f64).round(), total);
        let mut z = like.gaussian(start)?;
        let mut memory = P::Memory::default();
        for k in (1..=steps).rev() {
            let span = Span { from: time(k), to: time(k - 1) };
            (z, memory) = sampler.step(self.process, self.denoiser, span, &z, memory, walk.at(k as u64))?;
            progress(steps - k + 1);
        }
        self.decode(z, last)
    }

    /// Data from z₀. Draws the denoiser's noise first, then the reconstruction's.
    ///
    /// # Errors
    /// Whatever the denoiser returns.
    pub fn decode(&self, z0: S, noise: Noise) -> Result<R::Decoded> {
        let [kernel, decode] = noise.split();
        let zero = self.process.levels(&Times::Shared(0.0), z0.samples().len(), &z0.device())?;
        let at = At { state: z0, time: Times::Shared(0.0) };
        let Eps(prediction) = self.denoiser.sample(&at, kernel)?;
        self.data.decode(&at.state, &prediction, &zero, decode)
    }
}
