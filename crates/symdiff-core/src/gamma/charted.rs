//! Networks as kernels on a group.

use crate::{MarkovKernel, OnGroup, Result};
use candle_core::Tensor;
use symdiff_groups::{Chart, Group};
use symdiff_ops::Noise;

/// A network whose raw outputs are read as group elements in a chart: the f of γ = `sym_Haar(f)`.
///
/// If the network is equivariant in the way its chart asks for, this is itself a γ: a deterministic canonicalisation.
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

impl<G: Group, N, H> OnGroup for Charted<G, N, H> {
    type Group = G;

    fn group(&self) -> &G {
        &self.group
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
