//! `C_n` inside SO(2), O(2) and `C_m`.

use super::{Cyclic, Turns};
use crate::{Cosets, Error, Matrices, MatrixGroup, Orthogonal, Result, SpecialOrthogonal, Subgroup};
use std::f64::consts::TAU;
use symdiff_ops::{Batched, Noise};

impl Subgroup<SpecialOrthogonal> for Cyclic {
    fn embed(&self, group: &SpecialOrthogonal, h: &Turns, like: &impl Batched) -> Result<Matrices> {
        turned(*self, group.n(), h, like)
    }
}

impl Subgroup<Orthogonal> for Cyclic {
    fn embed(&self, group: &Orthogonal, h: &Turns, like: &impl Batched) -> Result<Matrices> {
        turned(*self, group.n(), h, like)
    }
}

impl Subgroup<Cyclic> for Cyclic {
    fn embed(&self, group: &Cyclic, h: &Turns, _: &impl Batched) -> Result<Turns> {
        let what = "C_n inside C_m";
        self.owns(what, h)?;
        let stride = index(what, group.n(), *self)?;
        Ok(Turns::of(*group, h.steps().iter().map(|&k| k * stride)))
    }
}

/// The turns that `subgroup` lacks, all equally likely.
impl Cosets<Cyclic> for Cyclic {
    fn coset(&self, subgroup: &Cyclic, like: &impl Batched, noise: Noise) -> Result<Turns> {
        let missing = index("cosets of C_n in C_m", self.n(), *subgroup)?;
        Ok(Turns::of(*self, noise.integers(&like.samples(), 0..missing)?))
    }
}

/// How many turns of an m-gon make one turn of the n-gon.
pub(crate) fn index(what: &'static str, m: u32, subgroup: Cyclic) -> Result<u32> {
    if m.is_multiple_of(subgroup.n()) {
        return Ok(m / subgroup.n());
    }
    Err(Error::Dimension { what, n: subgroup.n() as usize, exists: "n that divides m" })
}

fn turned(group: Cyclic, n: usize, h: &Turns, like: &impl Batched) -> Result<Matrices> {
    let what = "turns of the plane as matrices";
    group.owns(what, h)?;
    if n != 2 {
        return Err(Error::Dimension { what, n, exists: "n = 2" });
    }
    let angles: Vec<f64> = h.steps().iter().map(|&k| TAU * f64::from(k) / f64::from(group.n())).collect();
    Matrices::planar(&angles, &vec![false; h.len()], like)
}
