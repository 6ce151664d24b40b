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

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};
    use symdiff_core::testing::LawTest;
    use symdiff_core::{Haar, Map, MarkovKernelExt};
    use symdiff_groups::{Cloud, Dense, GramSchmidt, Orthogonal};
    use symdiff_ops::Samples;

    /// With frames from the rows of three points the published product fails the law test that g₀·r, from the same draws, passes.
    #[test]
    fn the_published_order_is_not_equivariant_in_law() -> Result<()> {
        let (o3, test) = (Orthogonal::new(3), LawTest::default());
        let points = Noise::seeded(1).normal(&Samples::numbered(1), &[3, 3], DType::F64, &Device::Cpu)?;
        let x = Cloud::new(points.repeat((200, 1, 1))?)?;
        let frame = || Map::new(|x: &Cloud| Ok(x.tensor().clone())).charted(o3, GramSchmidt::rows());
        let kernel = || Map::new(|x: &Cloud| Ok(Cloud::new((x.tensor() * 2.0)?.tanh()?)?));
        let released = kernel().symmetrised(Released::new(Haar(o3), frame()));
        assert!(test.equivariance(&o3, &released, &x, Noise::seeded(2))?.p_value < 0.01);
        let equivariant = kernel().symmetrised(frame().haar_symmetrised());
        assert!(test.equivariance(&o3, &equivariant, &x, Noise::seeded(2))?.p_value > 0.01);
        Ok(())
    }
}
