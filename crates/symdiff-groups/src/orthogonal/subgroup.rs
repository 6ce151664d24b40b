//! SO(n) inside O(n), and its two cosets.

use super::{Matrices, MatrixGroup, Orthogonal, SpecialOrthogonal};
use crate::{Cosets, Error, Result, Subgroup};
use symdiff_ops::{Batched, Noise};

impl Subgroup<Orthogonal> for SpecialOrthogonal {
    fn embed(&self, group: &Orthogonal, h: &Matrices, _: &impl Batched) -> Result<Matrices> {
        if group.n() == self.n() {
            return Ok(h.clone());
        }
        Err(Error::Dimension { what: "SO(n) inside O(m)", n: self.n(), exists: "n = m" })
    }
}

/// The identity or the mirror image in the first axis, each with probability ½.
impl Cosets<SpecialOrthogonal> for Orthogonal {
    fn coset(&self, _: &SpecialOrthogonal, like: &impl Batched, noise: Noise) -> Result<Matrices> {
        let mirrored: Vec<bool> = noise.integers(&like.samples(), 0..2)?.into_iter().map(|coin| coin == 1).collect();
        Matrices::mirror(self.n(), &mirrored, like)
    }
}
