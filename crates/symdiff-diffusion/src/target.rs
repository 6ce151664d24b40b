//! Coordinates of a prediction, chosen at run time.

use crate::names::named;
use crate::{At, Clean, Eps, Levels, Prediction, Process, Result, Score, Times, Velocity};
use candle_core::Tensor;
use symdiff_core::MarkovKernel;
use symdiff_ops::{Euclidean, Noise};

named! {
    /// The quantities that a network may predict from z_t, and in which its error may be measured.
    Target, "target", {
        /// ε, as [`Eps`]: `noise`.
        #[default]
        Noise = "noise",
        /// x, as [`Clean`]: `data`.
        Data = "data",
        /// v, as [`Velocity`]: `velocity`.
        Velocity = "velocity",
        /// ∇ log p, as [`Score`]: `score`.
        Score = "score",
    }
}

impl Target {
    /// |dy/dε| at a fixed state for y in these coordinates, `[B]` in f64.
    pub(crate) fn scale(self, process: &Process, time: &Times, levels: &Levels) -> Result<Tensor> {
        Ok(match self {
            Self::Noise => levels.sigma.ones_like()?,
            Self::Data => (&levels.sigma / &levels.alpha)?,
            Self::Velocity => {
                let [a, b] = process.direction(time, levels)?;
                (b - ((a * &levels.sigma)? / &levels.alpha)?)?.abs()?
            }
            Self::Score => levels.sigma.recip()?,
        })
    }
}

/// A kernel that returns a state marked as noise, which is in truth a prediction in the coordinates of a [`Target`]: as a denoiser. For backbones that serve
/// several targets, where a configuration says which; with a fixed one, return its type and take [`Predicting`](crate::Predicting).
#[derive(Clone, Debug)]
pub struct Reading<K> {
    kernel: K,
    process: Process,
    target: Target,
}

impl<K> Reading<K> {
    /// What `kernel` returns, read as `target` under `process`.
    pub fn new(kernel: K, process: Process, target: Target) -> Self {
        Self { kernel, process, target }
    }
}

impl<S, C, K> MarkovKernel<At<S, C>> for Reading<K>
where
    S: Euclidean,
    K: MarkovKernel<At<S, C>, Out = Eps<S>>,
{
    type Out = Eps<S>;

    fn sample(&self, at: &At<S, C>, noise: Noise) -> symdiff_core::Result<Eps<S>> {
        let Eps(said) = self.kernel.sample(at, noise)?;
        let (z, time, process) = (&at.state, &at.time, &self.process);
        Ok(match self.target {
            Target::Noise => Eps(said),
            Target::Data => Clean(said).into_eps(z, time, process)?,
            Target::Velocity => Velocity(said).into_eps(z, time, process)?,
            Target::Score => Score(said).into_eps(z, time, process)?,
        })
    }
}
