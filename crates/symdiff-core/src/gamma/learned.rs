//! The learned γ.

use super::Haar;
use crate::{MarkovKernel, Result};
use symdiff_groups::{Action, Group};
use symdiff_ops::Noise;

/// How a learned γ joins its Haar draw g₀ with the network's element r = f(g₀⁻¹·x).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Composition {
    /// g₀·r, as the theory has it: equivariant draw by draw, for every f.
    #[default]
    Equivariant,
    /// r·g₀⁻¹, as the published implementation multiplies. Not equivariant in law for every f; for its numbers and its checkpoints.
    Released,
}

/// γ = `sym_Haar(f)` with a choice of [`Composition`]. With the default it draws exactly what `f.symmetrised(group, Haar(group))` draws.
#[derive(Clone, Debug)]
pub struct Learned<G, F, M = Haar<G>> {
    group: G,
    frame: F,
    measure: M,
    composition: Composition,
}

impl<G: Clone, F> Learned<G, F> {
    /// `sym_Haar(frame)`.
    pub fn new(group: G, frame: F) -> Self {
        let measure = Haar(group.clone());
        Self { group, frame, measure, composition: Composition::default() }
    }
}

impl<G, F, M> Learned<G, F, M> {
    /// The same with g₀ drawn from another kernel in Haar's place, such as [`crate::testing::MovedHaar`].
    #[must_use]
    pub fn over<N>(self, measure: N) -> Learned<G, F, N> {
        let Self { group, frame, composition, .. } = self;
        Learned { group, frame, measure, composition }
    }

    /// The same with another composition.
    #[must_use]
    pub fn composed(self, composition: Composition) -> Self {
        Self { composition, ..self }
    }

    /// f.
    pub fn frame(&self) -> &F {
        &self.frame
    }
}

impl<G, X, F, M> MarkovKernel<X> for Learned<G, F, M>
where
    G: Group,
    X: Action<G>,
    F: MarkovKernel<X, Out = G::Element>,
    M: MarkovKernel<X, Out = G::Element>,
{
    type Out = G::Element;

    fn sample(&self, x: &X, noise: Noise) -> Result<G::Element> {
        let [haar, frame] = noise.split();
        let g = self.measure.sample(x, haar)?;
        let back = self.group.inverse(&g)?;
        let r = self.frame.sample(&x.act(&self.group, &back)?, frame)?;
        Ok(match self.composition {
            Composition::Equivariant => self.group.compose(&g, &r)?,
            Composition::Released => self.group.compose(&r, &back)?,
        })
    }
}
