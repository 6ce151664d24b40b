//! Stochastic symmetrisation.

use crate::{MarkovKernel, Result};
use symdiff_groups::{Action, Group};
use symdiff_ops::Noise;

/// `sym_γ(k)`: the kernel k made equivariant by γ.
///
/// Equivariant in law for every k, provided that γ is: γ(· | h·x) is the law of h·g with g ~ γ(· | x). A learned γ is this struct again,
/// with [`crate::Haar`] in the place of γ and the network in the place of k. γ and k draw from separate streams, γ first.
///
/// # Source
/// Zhang, Ashouritaklimi, Teh, Cornish, arXiv 2410.06262, equation 8; Cornish, arXiv 2406.11814.
#[derive(Clone, Debug)]
pub struct Symmetrised<G, C, K> {
    group: G,
    gamma: C,
    kernel: K,
}

impl<G, C, K> Symmetrised<G, C, K> {
    /// `sym_γ(k)` over `group`.
    pub fn new(group: G, gamma: C, kernel: K) -> Self {
        Self { group, gamma, kernel }
    }

    /// The group.
    pub fn group(&self) -> &G {
        &self.group
    }

    /// γ.
    pub fn gamma(&self) -> &C {
        &self.gamma
    }

    /// k.
    pub fn kernel(&self) -> &K {
        &self.kernel
    }

    /// k, by value.
    pub fn into_kernel(self) -> K {
        self.kernel
    }
}

impl<G, X, C, K> MarkovKernel<X> for Symmetrised<G, C, K>
where
    G: Group,
    X: Action<G>,
    C: MarkovKernel<X, Out = G::Element>,
    K: MarkovKernel<X, Out: Action<G>>,
{
    type Out = K::Out;

    fn sample(&self, x: &X, noise: Noise) -> Result<K::Out> {
        let [gamma, kernel] = noise.split();
        let g = self.gamma.sample(x, gamma)?;
        let x = x.act(&self.group, &self.group.inverse(&g)?)?;
        let y = self.kernel.sample(&x, kernel)?;
        Ok(y.act(&self.group, &g)?)
    }
}
