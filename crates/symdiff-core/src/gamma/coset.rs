//! From a subgroup to the whole group.

use crate::{MarkovKernel, OnGroup, Result};
use symdiff_groups::{Cosets, Group};
use symdiff_ops::{Batched, Noise};

/// γ = a uniform coset of `subgroup`, named by some element of it: what makes a kernel that is already equivariant under H equivariant
/// under all of G. The quotient must be compact, G need not be: E(n) over T(n) is the case of molecules.
///
/// Which element of the coset γ names does not matter, since for h in H, (g·h)·k((g·h)⁻¹·x) has the law of g·k(g⁻¹·x).
///
/// # Source
/// Cornish, arXiv 2406.11814 (symmetrisation along a homomorphism).
#[derive(Clone, Copy, Debug)]
pub struct CosetHaar<G, H> {
    group: G,
    subgroup: H,
}

impl<G, H> CosetHaar<G, H> {
    /// Uniform cosets of `subgroup` in `group`.
    pub fn new(group: G, subgroup: H) -> Self {
        Self { group, subgroup }
    }
}

impl<G: Group, H> OnGroup for CosetHaar<G, H> {
    type Group = G;

    fn group(&self) -> &G {
        &self.group
    }
}

impl<G: Cosets<H>, H: Group, X: Batched> MarkovKernel<X> for CosetHaar<G, H> {
    type Out = G::Element;

    fn sample(&self, x: &X, noise: Noise) -> Result<G::Element> {
        Ok(self.group.coset(&self.subgroup, x, noise)?)
    }
}
