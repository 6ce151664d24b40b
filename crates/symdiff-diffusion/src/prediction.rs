//! What a network may predict, adapted once to the noise: no objective and no sampler asks which it was.
//!
//! With z = α·x + σ·ε, v = α·ε − σ·x and α² + σ² = 1: x = (z − σ·ε)/α, ε = (z − α·x)/σ = σ·z + α·v.

use crate::time::coefficient;
use crate::{At, Clean, Eps, Levels, Process, Result, Schedule, Velocity};
use candle_core::Tensor;
use symdiff_core::MarkovKernel;
use symdiff_ops::{Euclidean, Noise};

/// A prediction about z, at levels α and σ, that amounts to one of its noise.
pub trait Prediction<S> {
    /// ε.
    ///
    /// # Errors
    /// When layouts differ.
    fn into_eps(self, z: &S, levels: &Levels) -> Result<Eps<S>>;
}

impl<S: Euclidean> Prediction<S> for Eps<S> {
    fn into_eps(self, _: &S, _: &Levels) -> Result<Self> {
        Ok(self)
    }
}

impl<S: Euclidean> Prediction<S> for Clean<S> {
    fn into_eps(self, z: &S, levels: &Levels) -> Result<Eps<S>> {
        let share = (&levels.alpha / &levels.sigma)?.neg()?;
        Ok(Eps(mixed(z, &levels.sigma.recip()?, &self.0, &share)?))
    }
}

impl<S: Euclidean> Prediction<S> for Velocity<S> {
    fn into_eps(self, z: &S, levels: &Levels) -> Result<Eps<S>> {
        Ok(Eps(mixed(z, &levels.sigma, &self.0, &levels.alpha)?))
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

    /// v = (ε − σ·z)/α.
    ///
    /// # Errors
    /// When layouts differ.
    pub fn velocity(&self, z: &S, levels: &Levels) -> Result<Velocity<S>> {
        let share = (&levels.sigma / &levels.alpha)?.neg()?;
        Ok(Velocity(mixed(&self.0, &levels.alpha.recip()?, z, &share)?))
    }
}

/// A kernel that predicts the clean state or the velocity, as a denoiser: one that predicts the noise.
#[derive(Clone, Copy, Debug)]
pub struct Predicting<'a, K, Q> {
    kernel: K,
    process: &'a Process<Q>,
}

impl<'a, K, Q> Predicting<'a, K, Q> {
    /// `kernel` under `process`, whose levels turn its predictions into noise.
    pub fn new(kernel: K, process: &'a Process<Q>) -> Self {
        Self { kernel, process }
    }
}

impl<S, K, Q> MarkovKernel<At<S>> for Predicting<'_, K, Q>
where
    S: Euclidean,
    K: MarkovKernel<At<S>, Out: Prediction<S>>,
    Q: Schedule,
{
    type Out = Eps<S>;

    fn sample(&self, at: &At<S>, noise: Noise) -> symdiff_core::Result<Eps<S>> {
        let z = &at.state;
        let levels = self.process.levels(&at.time, z.samples().len(), &z.device()).map_err(symdiff_core::Error::kernel)?;
        self.kernel.sample(at, noise)?.into_eps(z, &levels).map_err(symdiff_core::Error::kernel)
    }
}

/// a·x + b·y with coefficients `[B]` in f64.
pub(crate) fn mixed<S: Euclidean>(x: &S, a: &Tensor, y: &S, b: &Tensor) -> Result<S> {
    Ok(x.combine(&coefficient(a, x.dtype())?, y, &coefficient(b, x.dtype())?)?)
}
