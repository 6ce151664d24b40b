//! Couplings: joint laws of data and noise.

use crate::Result;
use symdiff_core::MarkovKernel;
use symdiff_groups::{Action, CompactGroup, Group};
use symdiff_ops::{Euclidean, Noise};

/// Data with their condition, and the noise that they are mixed with.
#[derive(Clone, Debug)]
pub struct Coupled<S, C = ()> {
    /// x.
    pub clean: S,
    /// x's condition.
    pub given: C,
    /// ε, a standard normal draw.
    pub eps: S,
}

/// A joint law of data and noise, whose noise is standard normal. It is free to replace a sample by another one that counts as the same.
pub trait Coupling<S, C = ()> {
    /// Noise for each sample of `clean`.
    ///
    /// # Errors
    /// When a recording does not fit, or whatever the coupling meets.
    fn pair(&self, clean: &S, given: &C, noise: Noise) -> Result<Coupled<S, C>>;
}

impl<S, C, P: Coupling<S, C> + ?Sized> Coupling<S, C> for Box<P> {
    fn pair(&self, clean: &S, given: &C, noise: Noise) -> Result<Coupled<S, C>> {
        (**self).pair(clean, given, noise)
    }
}

/// Noise that is independent of the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Independent;

impl<S: Euclidean, C: Clone> Coupling<S, C> for Independent {
    fn pair(&self, clean: &S, given: &C, noise: Noise) -> Result<Coupled<S, C>> {
        Ok(Coupled { clean: clean.clone(), given: given.clone(), eps: clean.gaussian(noise)? })
    }
}

/// Data moved within their orbit to lie close to the noise: (g·x, ε), where g(x, ε) is drawn from `aligner`, with x's condition moved along.
///
/// It is the data that move. So the noise stays normal, as sampling will find it, and where the aligner turns with the noise, g(x, h·ε) = h·g(x, ε), the law of pairs is
/// invariant and that of g·x is the data's averaged over the group. An alignment that also depends on the pose of the data, as a permutation found before a rotation does, has
/// no such law by itself: train a symmetrised denoiser on it, or wrap it in [`Turned`]. docs/src/theory.md proves all of this.
///
/// # Source
/// Klein, Krämer, Noé, "Equivariant flow matching", arXiv 2306.15030; Song et al., arXiv 2312.07168.
#[derive(Clone, Debug)]
pub struct Aligned<Q, A, P = Independent> {
    group: Q,
    aligner: A,
    inner: P,
}

impl<Q, A> Aligned<Q, A> {
    /// Data moved by `aligner`, a kernel from pairs (x, ε) to elements, such as [`Kabsch`](super::Kabsch) or [`Assignment`](super::Assignment). `group` gives the
    /// group of a batch: `|_| o3`, say, or `|x| Symmetric::ragged(x.layout().clone())`.
    pub fn new(group: Q, aligner: A) -> Self {
        Self { group, aligner, inner: Independent }
    }
}

impl<Q, A, P> Aligned<Q, A, P> {
    /// The same for pairs that another coupling has made: nodes permuted first and then turned, say.
    pub fn after<N>(self, inner: N) -> Aligned<Q, A, N> {
        Aligned { group: self.group, aligner: self.aligner, inner }
    }
}

impl<S, C, G, Q, A, P> Coupling<S, C> for Aligned<Q, A, P>
where
    S: Euclidean + Action<G>,
    C: Action<G>,
    G: Group,
    Q: Fn(&S) -> G,
    A: MarkovKernel<(S, S), Out = G::Element>,
    P: Coupling<S, C>,
{
    fn pair(&self, clean: &S, given: &C, noise: Noise) -> Result<Coupled<S, C>> {
        let [pair, align] = noise.split();
        let Coupled { clean, given, eps } = self.inner.pair(clean, given, pair)?;
        let group = (self.group)(&clean);
        let states = (clean, eps);
        let g = self.aligner.sample(&states, align)?;
        let (clean, eps) = states;
        Ok(Coupled { clean: clean.act(&group, &g)?, given: given.act(&group, &g)?, eps })
    }
}

/// Pairs of another coupling, data and noise turned together: (H·x, H·ε) with one Haar draw H for each sample. Their law is invariant whatever the coupling, and the noise is normal
/// where the coupling has moved normal noise within its orbit at most.
#[derive(Clone, Debug)]
pub struct Turned<Q, P> {
    group: Q,
    inner: P,
}

impl<Q, P> Turned<Q, P> {
    /// Turned pairs of `inner`; `group` gives the group of a batch, as for [`Aligned`].
    pub fn new(group: Q, inner: P) -> Self {
        Self { group, inner }
    }
}

impl<S, C, G, Q, P> Coupling<S, C> for Turned<Q, P>
where
    S: Euclidean + Action<G>,
    C: Action<G>,
    G: CompactGroup,
    Q: Fn(&S) -> G,
    P: Coupling<S, C>,
{
    fn pair(&self, clean: &S, given: &C, noise: Noise) -> Result<Coupled<S, C>> {
        let [pair, haar] = noise.split();
        let Coupled { clean, given, eps } = self.inner.pair(clean, given, pair)?;
        let group = (self.group)(&clean);
        let g = group.haar(&clean, haar)?;
        Ok(Coupled { clean: clean.act(&group, &g)?, given: given.act(&group, &g)?, eps: eps.act(&group, &g)? })
    }
}
