//! γ's with nothing learned.

use crate::{MarkovKernel, Result};
use symdiff_groups::{Centred, CompactGroup, Group, Shifts};
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

/// γ = the point mass at e: the identity whatever x. Not equivariant: it leaves k as it is, for comparison.
#[derive(Clone, Copy, Debug)]
pub struct Identity<G>(pub G);

impl<G: Group, X: Batched> MarkovKernel<X> for Identity<G> {
    type Out = G::Element;

    fn sample(&self, x: &X, _: Noise) -> Result<G::Element> {
        Ok(self.0.identity(x)?)
    }
}

/// γ = the point mass at the centre of x: equivariant under translations, which have no Haar measure. Draws nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Centroid;

impl<X: Centred> MarkovKernel<X> for Centroid {
    type Out = Shifts;

    fn sample(&self, x: &X, _: Noise) -> Result<Shifts> {
        Ok(x.centre()?)
    }
}
