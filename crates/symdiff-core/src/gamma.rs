//! Kernels on a group: where γ comes from.

use crate::{MarkovKernel, Result};
use candle_core::Tensor;
use symdiff_groups::{Action, Chart, CompactGroup, Group};
use symdiff_ops::{Batched, Noise};

/// γ = Haar: uniform on the group whatever x. Equivariant, nothing learned.
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

/// A network whose raw outputs are read as group elements in a chart: the f of γ = `sym_Haar(f)`.
#[derive(Clone, Debug)]
pub struct Charted<G, N, H> {
    group: G,
    net: N,
    chart: H,
}

impl<G, N, H> Charted<G, N, H> {
    /// `net`, whose output is a tensor, followed by `chart` onto `group`.
    pub fn new(group: G, net: N, chart: H) -> Self {
        Self { group, net, chart }
    }

    /// The network.
    pub fn net(&self) -> &N {
        &self.net
    }
}

impl<G, X, N, H> MarkovKernel<X> for Charted<G, N, H>
where
    G: Group,
    N: MarkovKernel<X, Out = Tensor>,
    H: Chart<G>,
{
    type Out = G::Element;

    fn sample(&self, x: &X, noise: Noise) -> Result<G::Element> {
        Ok(self.chart.project(&self.group, &self.net.sample(x, noise)?)?)
    }
}

/// How a learned γ joins its Haar draw g₀ with the network's element r = f(g₀⁻¹·x).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Composition {
    /// g₀·r, as the theory has it: equivariant draw by draw, for every f.
    #[default]
    Equivariant,
    /// r·g₀⁻¹, as the published implementation multiplies. Not equivariant in law for every f; for its numbers and its checkpoints.
    Released,
}

/// γ = `sym_Haar(f)` with a choice of [`Composition`]. With the default it draws exactly what `f.symmetrised(group, Haar(group))` draws.
#[derive(Clone, Debug)]
pub struct Learned<G, F> {
    group: G,
    frame: F,
    composition: Composition,
}

impl<G, F> Learned<G, F> {
    /// `sym_Haar(frame)`.
    pub fn new(group: G, frame: F) -> Self {
        Self { group, frame, composition: Composition::default() }
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

impl<G, X, F> MarkovKernel<X> for Learned<G, F>
where
    G: CompactGroup,
    X: Action<G> + Batched,
    F: MarkovKernel<X, Out = G::Element>,
{
    type Out = G::Element;

    fn sample(&self, x: &X, noise: Noise) -> Result<G::Element> {
        let [haar, frame] = noise.split();
        let g = self.group.haar(x, haar)?;
        let back = self.group.inverse(&g)?;
        let r = self.frame.sample(&x.act(&self.group, &back)?, frame)?;
        Ok(match self.composition {
            Composition::Equivariant => self.group.compose(&g, &r)?,
            Composition::Released => self.group.compose(&r, &back)?,
        })
    }
}
