//! Equivariance and invariance in law.

use super::energy::{Pair, energy_distance, stratified, two_sample};
use super::{Estimate, TwoSample};
use crate::{MarkovKernel, Result};
use candle_core::{DType, Device};
use symdiff_groups::{Action, CompactGroup, Group, Observe};
use symdiff_ops::{Batched, Noise, Samples};

/// Two-sample tests of laws by energy distance with permutation p-values.
///
/// The states given to it are **batches of copies** of one state: each sample of the batch is one draw. Some hundred copies are a good number.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use symdiff_core::testing::LawTest;
/// use symdiff_core::{Haar, Map, MarkovKernelExt};
/// use symdiff_groups::{Dense, SpecialOrthogonal, Vectors};
/// use symdiff_ops::Noise;
/// # fn main() -> symdiff_core::Result<()> {
/// let so2 = SpecialOrthogonal::new(2);
/// let plain = Map::new(|x: &Vectors| Ok(Vectors::new(x.tensor().abs()?)?)); // |x| turns with nothing
/// let x = Vectors::new(Tensor::new(&[[1.0, 0.2_f64]], &Device::Cpu)?.repeat((100, 1))?)?;
///
/// let test = LawTest::default();
/// assert!(test.equivariance(&so2, &plain, &x, Noise::seeded(1))?.p_value < 0.01);
/// let symmetric = plain.symmetrised(Haar(so2));
/// assert!(test.equivariance(&so2, &symmetric, &x, Noise::seeded(1))?.p_value > 0.01);
/// # Ok(()) }
/// ```
///
/// Start from the default and change what should differ: `let mut test = LawTest::default(); test.elements = 20;`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LawTest {
    /// Random relabellings behind each p-value; the smallest p-value is one over this plus one.
    pub permutations: usize,
    /// Haar draws of the group element at which equivariance is tested, together in one p-value. One alone may be near the identity.
    pub elements: usize,
}

impl Default for LawTest {
    fn default() -> Self {
        Self { permutations: 299, elements: 8 }
    }
}

impl LawTest {
    /// Tests k(· | h·x) against the law of h·k(· | x), at some Haar draws of h at once.
    ///
    /// # Errors
    /// Any error of the kernel, or when x has fewer than two copies.
    pub fn equivariance<G, X, K>(&self, group: &G, kernel: &K, x: &X, noise: Noise) -> Result<TwoSample>
    where
        G: CompactGroup,
        X: Action<G> + Batched,
        K: MarkovKernel<X, Out: Action<G> + Observe>,
    {
        let [draws, labels] = noise.split();
        let mut pairs = Vec::with_capacity(self.elements);
        for noise in draws.repeats(self.elements) {
            let [h, noise] = noise.split();
            pairs.push(both_sides(group, &group.haar(&Alike(x), h)?, kernel, x, noise)?);
        }
        stratified(&pairs, self.permutations, labels.generator())
    }

    /// Tests k(· | h·x) against the law of h·k(· | x) at a given h, the same for all samples.
    ///
    /// # Errors
    /// Any error of the kernel, or when x has fewer than two copies.
    pub fn equivariance_at<G, X, K>(&self, group: &G, h: &G::Element, kernel: &K, x: &X, noise: Noise) -> Result<TwoSample>
    where
        G: Group,
        X: Action<G>,
        K: MarkovKernel<X, Out: Action<G> + Observe>,
    {
        let [draws, labels] = noise.split();
        let (moved_first, moved_last) = both_sides(group, h, kernel, x, draws)?;
        two_sample(&moved_first, &moved_last, self.permutations, labels.generator())
    }

    /// Tests whether the law of a sampler's draws is invariant: whether y and h·y, with an independent Haar draw of h for each y, have one law,
    /// which they have if and only if the law of y is invariant. One call of `sampler` gives a batch of draws.
    ///
    /// # Errors
    /// Any error of the sampler, or when it gives fewer than two draws.
    pub fn invariance<G, Y>(&self, group: &G, sampler: impl Fn(Noise) -> Result<Y>, noise: Noise) -> Result<TwoSample>
    where
        G: CompactGroup,
        Y: Action<G> + Observe + Batched,
    {
        let [h, first, second, labels] = noise.split();
        let (plain, other) = (sampler(first)?, sampler(second)?);
        let moved = other.act(group, &group.haar(&other, h)?)?;
        two_sample(&plain.observe()?, &moved.observe()?, self.permutations, labels.generator())
    }

    /// Tests whether two samplers draw from one law. One call of each gives a batch of draws.
    ///
    /// # Errors
    /// Any error of the samplers, or when one gives fewer than two draws.
    pub fn agreement<Y: Observe>(
        &self,
        first: impl Fn(Noise) -> Result<Y>,
        second: impl Fn(Noise) -> Result<Y>,
        noise: Noise,
    ) -> Result<TwoSample> {
        let [one, other, labels] = noise.split();
        two_sample(&first(one)?.observe()?, &second(other)?.observe()?, self.permutations, labels.generator())
    }

    /// The energy distance of k(· | h·x) from the law of h·k(· | x), averaged over `draws` Haar draws of h: 0 for an equivariant
    /// kernel, in the units of the output otherwise.
    ///
    /// # Errors
    /// Any error of the kernel, or with fewer than two draws of h.
    pub fn discrepancy<G, X, K>(&self, group: &G, kernel: &K, x: &X, draws: usize, noise: Noise) -> Result<Estimate>
    where
        G: CompactGroup,
        X: Action<G> + Batched,
        K: MarkovKernel<X, Out: Action<G> + Observe>,
    {
        let mut distances = Vec::with_capacity(draws);
        for noise in noise.repeats(draws) {
            let [h, noise] = noise.split();
            let (moved_first, moved_last) = both_sides(group, &group.haar(&Alike(x), h)?, kernel, x, noise)?;
            distances.push(energy_distance(&moved_first, &moved_last)?);
        }
        Estimate::of("discrepancy in law", &distances)
    }
}

/// Independent draws of k(· | h·x) and of h·k(· | x).
fn both_sides<G, X, K>(group: &G, h: &G::Element, kernel: &K, x: &X, noise: Noise) -> Result<Pair>
where
    G: Group,
    X: Action<G>,
    K: MarkovKernel<X, Out: Action<G> + Observe>,
{
    let [first, last] = noise.split();
    let moved_first = kernel.sample(&x.act(group, h)?, first)?.observe()?;
    let moved_last = kernel.sample(x, last)?.act(group, h)?.observe()?;
    Ok((moved_first, moved_last))
}

/// A batch whose samples all have the same id, so that they draw the same element.
struct Alike<'a, X>(&'a X);

impl<X: Batched> Batched for Alike<'_, X> {
    fn samples(&self) -> Samples {
        Samples::new(vec![0; self.0.samples().len()])
    }

    fn device(&self) -> Device {
        self.0.device()
    }

    fn dtype(&self) -> DType {
        self.0.dtype()
    }
}
