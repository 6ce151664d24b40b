//! Uniform symmetries.

use super::{Dihedral, Symmetries};
use crate::{CompactGroup, FiniteGroup, Result};
use symdiff_ops::{Batched, Noise};

/// Draws one integer per sample.
impl CompactGroup for Dihedral {
    fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Symmetries> {
        let drawn = noise.integers(&like.samples(), 0..2 * self.n())?;
        Ok(Symmetries::of(*self, drawn.into_iter().map(|index| nth(*self, index))))
    }
}

impl FiniteGroup for Dihedral {
    fn elements(&self, like: &impl Batched) -> Result<Vec<Symmetries>> {
        let samples = like.samples().len();
        Ok((0..2 * self.n()).map(|index| Symmetries::of(*self, vec![nth(*self, index); samples])).collect())
    }
}

/// Turns first, then mirrored turns.
pub(super) fn nth(group: Dihedral, index: u32) -> (u32, bool) {
    (index % group.n(), index >= group.n())
}
