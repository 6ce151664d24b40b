//! A whole sampling run.

use super::{Framing, NoiseField, Route, Walk};
use crate::process::{check_down, check_whole};
use crate::{Denoiser, Eps, Process, Reconstruction, Result, Times};
use symdiff_ops::{Euclidean, Noise};

/// The learned reverse process: a forward process, the denoiser that undoes it given a condition, and the reading of data off its end.
pub struct Reverse<'a, S, R, C = ()> {
    /// The forward process.
    pub process: &'a Process,
    /// ε(z, t).
    pub denoiser: &'a dyn Denoiser<S, C>,
    /// p(data | z₀).
    pub data: &'a R,
    /// The condition, the same along a trajectory.
    pub given: &'a C,
}

impl<S: Euclidean, R: Reconstruction<S>, C: Clone> Reverse<'_, S, R, C> {
    /// What samplers see of it.
    pub fn field(&self) -> NoiseField<'_, S> {
        NoiseField::new(self.process, self.denoiser, self.given)
    }

    /// Draws samples shaped like `like`, whose values are not read, along times from 1 to 0, as [`Process::times`] gives them. `progress` is called as by [`Walk::walk`].
    ///
    /// # Errors
    /// When the times do not fall from 1 to 0; whatever the denoiser returns.
    pub fn sample(
        &self,
        sampler: &dyn Walk<S>,
        times: &[f64],
        framing: Framing,
        like: &S,
        noise: Noise,
        progress: &mut dyn FnMut(usize, &S),
    ) -> Result<R::Decoded> {
        check_whole(times)?;
        let [start, walk, last, frames] = noise.split();
        let z = self.process.start(like, start)?;
        self.onward(sampler, times, framing, z, [walk, last, frames], progress)
    }

    /// Draws variations of `clean`: noises it to the first of the times, and samples along them from there. `progress` is called as by [`Walk::walk`].
    ///
    /// # Errors
    /// When the times do not fall to 0; whatever the denoiser returns.
    ///
    /// # Source
    /// Meng et al. (SDEdit), arXiv 2108.01073.
    pub fn vary(
        &self,
        sampler: &dyn Walk<S>,
        times: &[f64],
        framing: Framing,
        clean: &S,
        noise: Noise,
        progress: &mut dyn FnMut(usize, &S),
    ) -> Result<R::Decoded> {
        check_down(times)?;
        let [start, walk, last, frames] = noise.split();
        let levels = self.process.levels(&Times::Shared(times[0]), clean.samples().len(), &clean.device())?;
        let z = self.process.diffuse(clean, &levels, &clean.gaussian(start)?)?;
        self.onward(sampler, times, framing, z, [walk, last, frames], progress)
    }

    fn onward(
        &self,
        sampler: &dyn Walk<S>,
        times: &[f64],
        framing: Framing,
        z: S,
        [walk, last, frames]: [Noise; 3],
        progress: &mut dyn FnMut(usize, &S),
    ) -> Result<R::Decoded> {
        let field = self.field().framed(framing, frames);
        let z = sampler.walk(&field, times, z, walk, progress)?;
        self.read(&field, z, last)
    }

    /// [`Reverse::sample`] by names.
    ///
    /// # Errors
    /// [`crate::Error::Config`] when the process does not have as many steps; whatever the denoiser returns.
    pub fn sample_by(&self, route: Route, like: &S, noise: Noise, progress: &mut dyn FnMut(usize, &S)) -> Result<R::Decoded> {
        let times = self.process.times(&*route.spacing.grid(), route.steps)?;
        self.sample(&*route.sampler()?, &times, route.framing, like, noise, progress)
    }

    /// Data from z₀. Draws the denoiser's noise first, then the reconstruction's.
    ///
    /// # Errors
    /// Whatever the denoiser returns.
    pub fn decode(&self, z0: S, noise: Noise) -> Result<R::Decoded> {
        self.read(&self.field(), z0, noise)
    }

    fn read(&self, field: &NoiseField<S>, z0: S, noise: Noise) -> Result<R::Decoded> {
        let [kernel, decode] = noise.split();
        let Eps(prediction) = field.eps(&z0, 0.0, kernel)?;
        self.data.decode(&z0, &prediction, &field.levels(0.0, &z0)?, decode)
    }
}
