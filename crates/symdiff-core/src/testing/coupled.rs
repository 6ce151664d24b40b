//! Equivariance draw by draw, when the Haar draw is transported.

use crate::{MarkovKernel, OnGroup, Result};
use symdiff_groups::testing::gap;
use symdiff_groups::{Action, CompactGroup, Observe};
use symdiff_ops::{Batched, Noise};

/// The Haar measure, its draws multiplied from the left by a fixed element: the same law as [`crate::Haar`], other numbers.
#[derive(Clone, Debug)]
pub struct MovedHaar<G: CompactGroup> {
    group: G,
    by: G::Element,
}

impl<G: CompactGroup> OnGroup for MovedHaar<G> {
    type Group = G;

    fn group(&self) -> &G {
        &self.group
    }
}

impl<G: CompactGroup, X: Batched> MarkovKernel<X> for MovedHaar<G> {
    type Out = G::Element;

    fn sample(&self, x: &X, noise: Noise) -> Result<G::Element> {
        Ok(self.group.compose(&self.by, &self.group.haar(x, noise)?)?)
    }
}

/// The largest |y(h·x; h·g₀) − h·y(x; g₀)| over a batch, where `model` builds its kernel on the Haar measure it is given: rounding for a
/// symmetrised kernel, whatever its networks. Everything else the kernel draws is the same on both sides.
///
/// This is the proof of equivariance turned into numbers: as h·g₀ is again Haar, agreement here gives equality of laws.
///
/// # Errors
/// Any error of the kernel.
pub fn coupled_gap<G, X, K>(group: &G, x: &X, noise: Noise, model: impl Fn(MovedHaar<G>) -> K) -> Result<f64>
where
    G: CompactGroup,
    X: Action<G> + Batched,
    K: MarkovKernel<X, Out: Action<G> + Observe>,
{
    let [h, draws] = noise.split();
    let (h, draws) = (group.haar(x, h)?, draws.steps());
    let still = model(MovedHaar { group: group.clone(), by: group.identity(x)? });
    let moved = model(MovedHaar { group: group.clone(), by: h.clone() });
    let expected = still.sample(x, draws.at(0))?.act(group, &h)?;
    let got = moved.sample(&x.act(group, &h)?, draws.at(0))?;
    Ok(gap(&got, &expected)?)
}
