//! Uniform turns.

use super::{Cyclic, Turns};
use crate::{CompactGroup, FiniteGroup, Result};
use symdiff_ops::{Batched, Noise};

/// Draws one integer per sample.
impl CompactGroup for Cyclic {
    fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Turns> {
        Ok(Turns::of(*self, noise.integers(&like.samples(), 0..self.n())?))
    }
}

impl FiniteGroup for Cyclic {
    fn elements(&self, like: &impl Batched) -> Result<Vec<Turns>> {
        let samples = like.samples().len();
        Ok((0..self.n()).map(|k| Turns::of(*self, vec![k; samples])).collect())
    }
}
