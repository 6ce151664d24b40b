//! Preconditioning: networks with inputs and outputs of unit scale at every level of noise.

use crate::prediction::mixed;
use crate::{At, Eps, Process, Result};
use symdiff_core::MarkovKernel;
use symdiff_ops::{Euclidean, Noise};

/// The output of the network F of Karras et al. for a scaled state: x̂ = c_skip·z/α + c_out·F, with unit variance where the data's deviation is as assumed.
#[derive(Clone, Debug)]
pub struct Residual<S>(pub S);

/// A kernel from scaled states to [`Residual`]s as a denoiser, for data of deviation d. With σ̃ = σ/α, it sees z/√(σ² + α²·d²), and its answer F amounts to the
/// clean state x̂ = d²/(σ̃² + d²)·z/α + σ̃·d/√(σ̃² + d²)·F, that is to the noise ε̂ = σ̃/(σ̃² + d²)·z/α − d/√(σ̃² + d²)·F.
///
/// On a variance-preserving path with d = 1 the state is left as it is, and −F is the [`Velocity`](crate::Velocity).
///
/// # Source
/// Karras et al., arXiv 2206.00364, section 5 and table 1.
#[derive(Clone, Debug)]
pub struct Preconditioned<K> {
    kernel: K,
    process: Process,
    deviation: f64,
}

impl<K> Preconditioned<K> {
    /// `kernel` under `process`, for data whose entries have that standard deviation.
    ///
    /// # Errors
    /// [`crate::Error::Config`] unless it is finite and above 0.
    pub fn new(kernel: K, process: Process, deviation: f64) -> Result<Self> {
        if deviation > 0.0 && deviation.is_finite() {
            return Ok(Self { kernel, process, deviation });
        }
        Err(crate::Error::Config(format!("data of standard deviation {deviation} cannot be scaled; give a finite number above 0")))
    }
}

impl<S, C, K> MarkovKernel<At<S, C>> for Preconditioned<K>
where
    S: Euclidean,
    C: Clone,
    K: MarkovKernel<At<S, C>, Out = Residual<S>>,
{
    type Out = Eps<S>;

    fn sample(&self, at: &At<S, C>, noise: Noise) -> symdiff_core::Result<Eps<S>> {
        let z = &at.state;
        let levels = self.process.levels(&at.time, z.samples().len(), &z.device())?;
        let variance = (levels.sigma.sqr()? + (levels.alpha.sqr()? * self.deviation.powi(2))?)?;
        let (shrink, none) = (variance.sqrt()?.recip()?, variance.zeros_like()?);
        let state = mixed(z, &shrink, z, &none)?;
        let Residual(said) = self.kernel.sample(&At { state, time: at.time.clone(), given: at.given.clone() }, noise)?;
        let (skip, out) = ((&levels.sigma / variance)?, ((levels.alpha * shrink)? * -self.deviation)?);
        Ok(Eps(mixed(z, &skip, &said, &out)?))
    }
}
