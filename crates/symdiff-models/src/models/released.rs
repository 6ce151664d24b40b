//! The published order of γ's product.

use symdiff_core::{GroupKernel, MarkovKernel, OnGroup, Result};
use symdiff_groups::{Action, Group};
use symdiff_ops::Noise;

/// r·g₀⁻¹ with g₀ from a measure and r = f(g₀⁻¹·x), as the published implementation multiplies; `sym_Haar(f)` forms g₀·r from the same draws.
///
/// Not equivariant in law for every f: it serves checkpoints that were trained with it, and comparison with their numbers.
#[derive(Clone, Debug)]
pub struct Released<M, F> {
    measure: M,
    frame: F,
}

impl<M, F> Released<M, F> {
    /// The product of draws of `measure`, Haar as a rule, and of `frame`, which is f.
    pub fn new(measure: M, frame: F) -> Self {
        Self { measure, frame }
    }
}

impl<M, F: OnGroup> OnGroup for Released<M, F> {
    type Group = F::Group;

    fn group(&self) -> &F::Group {
        self.frame.group()
    }
}

impl<X, M, F> MarkovKernel<X> for Released<M, F>
where
    F: GroupKernel<X>,
    M: GroupKernel<X, Group = F::Group>,
    X: Action<F::Group>,
{
    type Out = <F::Group as Group>::Element;

    fn sample(&self, x: &X, noise: Noise) -> Result<Self::Out> {
        let [measure, frame] = noise.split();
        let group = self.group();
        let back = group.inverse(&self.measure.sample(x, measure)?)?;
        let r = self.frame.sample(&x.act(group, &back)?, frame)?;
        Ok(group.compose(&r, &back)?)
    }
}
