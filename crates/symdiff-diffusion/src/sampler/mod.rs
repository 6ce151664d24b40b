//! From noise to data.

mod ancestral;
mod churned;
mod ddim;
mod dpm_solver;
mod dpm_solver3;
mod dpm_solver_sde;
mod euler;
mod field;
mod heun;
mod keeping;
mod method;
mod reverse;
mod stochastic_ddim;

pub use ancestral::Ancestral;
pub use churned::StochasticEuler;
pub use ddim::Ddim;
pub use dpm_solver::{DpmSolver, Past};
pub use dpm_solver_sde::DpmSolverSde;
pub use dpm_solver3::{DpmSolver3, Trail};
pub use euler::Euler;
pub use field::{Framing, NoiseField};
pub use heun::Heun;
pub use keeping::{Begun, Keeping, Known};
pub use method::{Method, Route};
pub use reverse::Reverse;
pub use stochastic_ddim::StochasticDdim;

use crate::process::check_falling;
use crate::{Levels, Result};
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
    /// The levels at t and at s for the samples of z.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn levels<S: Euclidean>(self, field: &NoiseField<S>, z: &S) -> Result<[Levels; 2]> {
        Ok([field.levels(self.from, z)?, field.levels(self.to, z)?])
    }
}

/// A rule for stepping from z_t to z_s, for every path and every prediction. What a multistep rule remembers is a value passed in and out, not a field.
///
/// ```
/// use symdiff_diffusion::{Clean, NoiseField, Result, Sampler, Span};
/// use symdiff_ops::{Euclidean, Noise};
///
/// /// Adds new noise to the clean state that the denoiser sees (Song et al., arXiv 2303.01469, algorithm 1).
/// struct Renoise;
///
/// impl<S: Euclidean> Sampler<S> for Renoise {
///     type Memory = ();
///
///     fn step(&self, field: &NoiseField<S>, span: Span, z: &S, (): (), noise: Noise) -> Result<(S, ())> {
///         let [kernel, fresh] = noise.split();
///         let [t, s] = span.levels(field, z)?;
///         let Clean(clean) = field.eps(z, span.from, kernel)?.clean(z, &t)?;
///         Ok((field.process().diffuse(&clean, &s, &z.gaussian(fresh)?)?, ()))
///     }
/// }
/// ```
pub trait Sampler<S: Euclidean> {
    /// Past predictions; `()` where there are none.
    type Memory: Default;

    /// z_s from z_t. The denoiser's noise comes first in the split of `noise`, then its own.
    ///
    /// # Errors
    /// Whatever the denoiser returns.
    fn step(&self, field: &NoiseField<S>, span: Span, z: &S, memory: Self::Memory, noise: Noise) -> Result<(S, Self::Memory)>;
}

/// Any [`Sampler`] as a trait object, whatever it remembers: it walks a whole trajectory.
pub trait Walk<S> {
    /// The last state of a trajectory from `start` along falling times. The step to the k-th time from the end draws from stream k of `noise`; `progress` is called
    /// with 0 and the start, and after each step with the number of steps taken and the state that was reached.
    ///
    /// # Errors
    /// When the times do not fall; whatever the denoiser returns.
    fn walk(&self, field: &NoiseField<S>, times: &[f64], start: S, noise: Noise, progress: &mut dyn FnMut(usize, &S)) -> Result<S>;
}

impl<S: Euclidean, P: Sampler<S>> Walk<S> for P {
    fn walk(&self, field: &NoiseField<S>, times: &[f64], start: S, noise: Noise, progress: &mut dyn FnMut(usize, &S)) -> Result<S> {
        check_falling(times)?;
        let (mut z, mut memory, noise) = (start, P::Memory::default(), noise.steps());
        progress(0, &z);
        for (done, pair) in times.windows(2).enumerate() {
            let span = Span { from: pair[0], to: pair[1] };
            let left = (times.len() - 1 - done) as u64;
            (z, memory) = self.step(field, span, &z, memory, noise.at(left))?;
            progress(done + 1, &z);
        }
        Ok(z)
    }
}
