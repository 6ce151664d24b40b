//! `C_n` inside SO(2) and O(2).

use super::{Cyclic, Turns};
use crate::{Error, Matrices, MatrixGroup, Orthogonal, Result, SpecialOrthogonal, Subgroup};
use std::f64::consts::TAU;
use symdiff_ops::Batched;

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

fn turned(group: Cyclic, n: usize, h: &Turns, like: &impl Batched) -> Result<Matrices> {
    if n != 2 {
        return Err(Error::Dimension { what: "turns of the plane as matrices", n, exists: "n = 2" });
    }
    let angles: Vec<f64> = h.steps().iter().map(|&k| TAU * f64::from(k) / f64::from(group.n())).collect();
    Matrices::planar(&angles, &vec![false; h.len()], like)
}
