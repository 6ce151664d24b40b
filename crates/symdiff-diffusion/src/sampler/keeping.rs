//! Sampling the rest of a state of which a part is known.

use super::{NoiseField, Sampler, Span, Walk};
use crate::prediction::mixed;
use crate::{Error, Levels, Result};
use symdiff_ops::{Euclidean, Noise};

/// A part of a state that is known: a linear subspace of the states, and the data's component in it.
///
/// Normal noise has independent components in orthogonal subspaces; so the known component of z_t = α·x + σ·ε can be drawn without the rest.
pub trait Known<S> {
    /// z with its component in the subspace replaced by that of α·x + σ·ε; `levels` holds α and σ of each sample.
    ///
    /// # Errors
    /// When shapes do not fit.
    fn put(&self, z: &S, levels: &Levels, eps: &S) -> Result<S>;
}

/// A sampler that replaces the known part of the state after every step by the data's, with as much noise as the time says. So that the rest has time to agree with it, each step from t to s may be
/// repeated: the state is diffused from s to t again before the next turn.
///
/// Rules of several steps, such as [`DpmSolver`](super::DpmSolver), begin anew at each step here, since what they remember is of the state before the replacement.
///
/// # Cost
/// `turns` times that of the sampler; for [`DpmSolver3`](super::DpmSolver3), whose first step calls the denoiser twice, `turns` times two calls a step.
///
/// # Source
/// Lugmayr et al. (RePaint), arXiv 2201.09865, algorithm 1 with jumps of one step.
pub struct Keeping<'a, S> {
    walk: Box<dyn Walk<S>>,
    known: &'a dyn Known<S>,
    turns: usize,
}

impl<'a, S: Euclidean> Keeping<'a, S> {
    /// A sampler with a known part, taking each step `turns` times.
    ///
    /// # Errors
    /// [`Error::Config`] for no turn at all.
    pub fn new(walk: Box<dyn Walk<S>>, known: &'a dyn Known<S>, turns: usize) -> Result<Self> {
        if turns == 0 {
            return Err(Error::Config("a sampler that keeps a part takes each step at least once; give 1 or more turns".into()));
        }
        Ok(Self { walk, known, turns })
    }
}

/// Whether the known part has been put into the state that sampling starts from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Begun(bool);

impl<S: Euclidean> Sampler<S> for Keeping<'_, S> {
    type Memory = Begun;

    fn step(&self, field: &NoiseField<S>, span: Span, z: &S, Begun(begun): Begun, noise: Noise) -> Result<(S, Begun)> {
        let [begin, turns] = noise.split();
        let [later, earlier] = span.levels(field, z)?;
        let mut z = if begun { z.clone() } else { self.known.put(z, &later, &z.gaussian(begin)?)? };
        for (turn, noise) in turns.repeats(self.turns).enumerate() {
            let [step, fresh, back] = noise.split();
            let stepped = self.walk.walk(field, &[span.from, span.to], z, step, &mut |_, _| ())?;
            z = self.known.put(&stepped, &earlier, &stepped.gaussian(fresh)?)?;
            if turn + 1 < self.turns {
                let deviation = field.process().path().variance_given(&later, &earlier)?.relu()?.sqrt()?;
                z = mixed(&z, &(&later.alpha / &earlier.alpha)?, &z.gaussian(back)?, &deviation)?;
            }
        }
        Ok((z, Begun(true)))
    }
}
