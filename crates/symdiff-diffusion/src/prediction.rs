//! The quantities that a network may predict, and the adaptors that turn them into noise, so that objectives and samplers see noise alone.
//!
//! With z = α·x + σ·ε and v = a·x + b·ε, where (a, b) is the path's direction: x = (z − σ·ε)/α, ε = (z − α·x)/σ = (α·v − a·z)/(α·b − σ·a).

use crate::time::coefficient;
use crate::{At, Clean, Eps, Levels, Process, Result, Score, Times, Velocity};
use candle_core::Tensor;
use symdiff_core::MarkovKernel;
use symdiff_ops::{Euclidean, Noise};

/// A prediction about z at a time of a process that amounts to one of its noise.
pub trait Prediction<S> {
    /// ε.
    ///
    /// # Errors
    /// When layouts differ.
    fn into_eps(self, z: &S, time: &Times, process: &Process) -> Result<Eps<S>>;
}

impl<S: Euclidean> Prediction<S> for Eps<S> {
    fn into_eps(self, _: &S, _: &Times, _: &Process) -> Result<Self> {
        Ok(self)
    }
}

impl<S: Euclidean> Prediction<S> for Clean<S> {
    fn into_eps(self, z: &S, time: &Times, process: &Process) -> Result<Eps<S>> {
        let levels = levels(z, time, process)?;
        let share = (&levels.alpha / &levels.sigma)?.neg()?;
        Ok(Eps(mixed(z, &levels.sigma.recip()?, &self.0, &share)?))
    }
}

impl<S: Euclidean> Prediction<S> for Velocity<S> {
    fn into_eps(self, z: &S, time: &Times, process: &Process) -> Result<Eps<S>> {
        let levels = levels(z, time, process)?;
        let [a, b] = process.direction(time, &levels)?;
        let turn = ((&levels.alpha * b)? - (&levels.sigma * &a)?)?;
        Ok(Eps(mixed(z, &(a.neg()? / &turn)?, &self.0, &(levels.alpha / turn)?)?))
    }
}

impl<S: Euclidean> Prediction<S> for Score<S> {
    fn into_eps(self, z: &S, time: &Times, process: &Process) -> Result<Eps<S>> {
        let levels = levels(z, time, process)?;
        Ok(Eps(mixed(&self.0, &levels.sigma.neg()?, z, &levels.sigma.zeros_like()?)?))
    }
}

impl<S: Euclidean> Eps<S> {
    /// x = (z − σ·ε)/α.
    ///
    /// # Errors
    /// When layouts differ.
    pub fn clean(&self, z: &S, levels: &Levels) -> Result<Clean<S>> {
        let share = (&levels.sigma / &levels.alpha)?.neg()?;
        Ok(Clean(mixed(z, &levels.alpha.recip()?, &self.0, &share)?))
    }

    /// v = (a/α)·z + (b − a·σ/α)·ε, where (a, b) is the path's direction at the time.
    ///
    /// # Errors
    /// When layouts differ.
    pub fn velocity(&self, z: &S, time: &Times, process: &Process) -> Result<Velocity<S>> {
        let levels = levels(z, time, process)?;
        let [a, b] = process.direction(time, &levels)?;
        let (along, share) = ((&a / &levels.alpha)?, (b - ((a * levels.sigma)? / levels.alpha)?)?);
        Ok(Velocity(mixed(z, &along, &self.0, &share)?))
    }

    /// s = −ε/σ.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn score(&self, levels: &Levels) -> Result<Score<S>> {
        Ok(Score(mixed(&self.0, &levels.sigma.recip()?.neg()?, &self.0, &levels.sigma.zeros_like()?)?))
    }
}

fn levels<S: Euclidean>(z: &S, time: &Times, process: &Process) -> Result<Levels> {
    process.levels(time, z.samples().len(), &z.device())
}

/// A kernel that predicts the clean state, the velocity or the score, as a denoiser: one that predicts the noise.
#[derive(Clone, Debug)]
pub struct Predicting<K> {
    kernel: K,
    process: Process,
}

impl<K> Predicting<K> {
    /// `kernel` under `process`, whose levels turn its predictions into noise.
    pub fn new(kernel: K, process: Process) -> Self {
        Self { kernel, process }
    }
}

impl<S, C, K> MarkovKernel<At<S, C>> for Predicting<K>
where
    S: Euclidean,
    K: MarkovKernel<At<S, C>, Out: Prediction<S>>,
{
    type Out = Eps<S>;

    fn sample(&self, at: &At<S, C>, noise: Noise) -> symdiff_core::Result<Eps<S>> {
        Ok(self.kernel.sample(at, noise)?.into_eps(&at.state, &at.time, &self.process)?)
    }
}

/// One number for every sample of z, `[B]` in f64.
pub(crate) fn same<S: Euclidean>(value: f64, z: &S) -> Result<Tensor> {
    Ok(Tensor::full(value, z.samples().len(), &z.device())?)
}

/// a·x + b·y with coefficients `[B]` in f64.
pub(crate) fn mixed<S: Euclidean>(x: &S, a: &Tensor, y: &S, b: &Tensor) -> Result<S> {
    Ok(x.combine(&coefficient(a, x.dtype())?, y, &coefficient(b, x.dtype())?)?)
}
