//! γ's with nothing learned.

use crate::{MarkovKernel, OnGroup, Result};
use symdiff_groups::{Centred, CompactGroup, Group, Shifts, Translations};
use symdiff_ops::{Batched, Noise};

/// γ = Haar: uniform on the group whatever x. Equivariant.
#[derive(Clone, Copy, Debug)]
pub struct Haar<G>(pub G);

impl<G: CompactGroup, X: Batched> MarkovKernel<X> for Haar<G> {
    type Out = G::Element;

    fn sample(&self, x: &X, noise: Noise) -> Result<G::Element> {
        Ok(self.0.haar(x, noise)?)
    }
}

impl<G: Group> OnGroup for Haar<G> {
    type Group = G;

    fn group(&self) -> &G {
        &self.0
    }
}

/// γ = the point mass at e: the identity whatever x. Not equivariant: it leaves k as it is, for comparison.
#[derive(Clone, Copy, Debug)]
pub struct Identity<G>(pub G);

impl<G: Group, X: Batched> MarkovKernel<X> for Identity<G> {
    type Out = G::Element;

    fn sample(&self, x: &X, _: Noise) -> Result<G::Element> {
        Ok(self.0.identity(x)?)
    }
}

impl<G: Group> OnGroup for Identity<G> {
    type Group = G;

    fn group(&self) -> &G {
        &self.0
    }
}

/// γ = the point mass at the centre of x: equivariant under translations, which have no Haar measure. Draws nothing.
#[derive(Clone, Copy, Debug)]
pub struct Centroid(Translations);

impl Centroid {
    /// The centre of points of ℝⁿ.
    pub fn new(n: usize) -> Self {
        Self(Translations::new(n))
    }
}

impl OnGroup for Centroid {
    type Group = Translations;

    fn group(&self) -> &Translations {
        &self.0
    }
}

impl<X: Centred> MarkovKernel<X> for Centroid {
    type Out = Shifts;

    fn sample(&self, x: &X, _: Noise) -> Result<Shifts> {
        Ok(x.centre()?)
    }
}
