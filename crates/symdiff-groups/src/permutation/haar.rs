//! Uniform permutations: the order of independent normals.

use super::{Degree, Permutations, Symmetric, sorting};
use crate::{CompactGroup, Error, FiniteGroup, Result};
use candle_core::{DType, Device};
use symdiff_ops::{Batched, Noise};

/// Draws one normal per node.
impl CompactGroup for Symmetric {
    fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Permutations> {
        let degrees = self.degrees(like.samples().len())?;
        let scores = match &self.0 {
            Degree::Uniform(n) => noise.normal(&like.samples(), &[*n], DType::F64, &Device::Cpu)?,
            Degree::Ragged(layout) => noise.normal_nodes(layout, 1, DType::F64, &Device::Cpu)?,
        };
        sorting("Haar draw of permutations", &scores, degrees)
    }
}

/// All n! permutations, n ≤ 8; every sample must have the same n.
impl FiniteGroup for Symmetric {
    fn elements(&self, like: &impl Batched) -> Result<Vec<Permutations>> {
        let degrees = self.degrees(like.samples().len())?;
        let n = degrees.first().copied().unwrap_or_default();
        if n > 8 || degrees.iter().any(|&other| other != n) {
            let (what, n) = ("list of all permutations", degrees.into_iter().max().unwrap_or_default());
            return Err(Error::Dimension { what, n, exists: "n <= 8, the same for all samples; draw from Haar instead" });
        }
        let mut all: Vec<Vec<u32>> = vec![vec![]];
        for next in 0..n as u32 {
            all = all.iter().flat_map(|shorter| (0..=shorter.len()).map(move |at| inserted(shorter, at, next))).collect();
        }
        Ok(all.into_iter().map(|one| Permutations::of(vec![one; degrees.len()])).collect())
    }
}

fn inserted(list: &[u32], at: usize, value: u32) -> Vec<u32> {
    [&list[..at], &[value], &list[at..]].concat()
}
