//! `D_n` inside O(2), `C_n` inside `D_n`.

use super::{Dihedral, Symmetries};
use crate::cyclic::index;
use crate::{Cosets, Cyclic, Error, Matrices, MatrixGroup, Orthogonal, Result, Subgroup, Turns};
use std::f64::consts::TAU;
use symdiff_ops::{Batched, Noise};

impl Subgroup<Orthogonal> for Dihedral {
    fn embed(&self, group: &Orthogonal, h: &Symmetries, like: &impl Batched) -> Result<Matrices> {
        if group.n() != 2 {
            return Err(Error::Dimension { what: "symmetries of an n-gon as matrices", n: group.n(), exists: "n = 2" });
        }
        self.owns("symmetries of an n-gon as matrices", h)?;
        let (angles, mirrored): (Vec<f64>, Vec<bool>) = h.each().map(|(k, f)| (TAU * f64::from(k) / f64::from(self.n()), f)).unzip();
        Matrices::planar(&angles, &mirrored, like)
    }
}

impl Subgroup<Dihedral> for Cyclic {
    fn embed(&self, group: &Dihedral, h: &Turns, _: &impl Batched) -> Result<Symmetries> {
        let stride = index("C_n inside D_m", group.n(), *self)?;
        Ok(Symmetries::of(*group, h.steps().iter().map(|&k| (k * stride, false))))
    }
}

/// The turns that `subgroup` lacks, mirrored or not, all equally likely.
impl Cosets<Cyclic> for Dihedral {
    fn coset(&self, subgroup: &Cyclic, like: &impl Batched, noise: Noise) -> Result<Symmetries> {
        let missing = index("cosets of C_n in D_m", self.n(), *subgroup)?;
        let drawn = noise.integers(&like.samples(), 0..2 * missing)?;
        Ok(Symmetries::of(*self, drawn.into_iter().map(|index| (index % missing, index >= missing))))
    }
}
