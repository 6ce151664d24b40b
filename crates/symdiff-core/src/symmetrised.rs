//! Stochastic symmetrisation.

use crate::{GroupKernel, Haar, MarkovKernel, OnGroup, Result};
use symdiff_groups::{Action, Group};
use symdiff_ops::Noise;

/// `sym_γ(k)`: the kernel k made equivariant by γ, under the group that γ names.
///
/// Equivariant in law for every k, provided that γ is: γ(· | h·x) is the law of h·g with g ~ γ(· | x). A learned γ is this struct again,
/// with [`Haar`] in the place of γ and the network in the place of k. γ and k draw from separate streams, γ first.
///
/// # Source
/// Zhang, Ashouritaklimi, Teh, Cornish, arXiv 2410.06262, equation 8; Cornish, arXiv 2406.11814.
#[derive(Clone, Debug)]
pub struct Symmetrised<C, K> {
    gamma: C,
    kernel: K,
}

/// γ = `sym_Haar(f)`: g₀ ~ Haar, r ~ f(· | g₀⁻¹·x), g₀·r, over the group of f.
pub type Learned<F> = Symmetrised<Haar<<F as OnGroup>::Group>, F>;

impl<C, K> Symmetrised<C, K> {
    /// `sym_γ(k)`.
    pub fn new(gamma: C, kernel: K) -> Self {
        Self { gamma, kernel }
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

impl<F: OnGroup> Learned<F> {
    /// `sym_Haar(f)`, with Haar on the group of f.
    pub fn of(f: F) -> Self {
        Self { gamma: Haar(f.group().clone()), kernel: f }
    }
}

impl<X, C, K> MarkovKernel<X> for Symmetrised<C, K>
where
    C: GroupKernel<X>,
    X: Action<C::Group>,
    K: MarkovKernel<X, Out: Action<C::Group>>,
{
    type Out = K::Out;

    fn sample(&self, x: &X, noise: Noise) -> Result<K::Out> {
        let [gamma, kernel] = noise.split();
        let group = self.gamma.group();
        let g = self.gamma.sample(x, gamma)?;
        let x = x.act(group, &group.inverse(&g)?)?;
        let y = self.kernel.sample(&x, kernel)?;
        Ok(y.act(group, &g)?)
    }
}

/// A symmetrised kernel on the group of its γ is a γ again.
impl<C: OnGroup, K: OnGroup<Group = C::Group>> OnGroup for Symmetrised<C, K> {
    type Group = C::Group;

    fn group(&self) -> &C::Group {
        self.gamma.group()
    }
}
