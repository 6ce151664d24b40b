//! Kernels that commute with nothing, for the tests to symmetrise.

use candle_core::{DType, Device, Tensor};
use symdiff_core::{Draw, Haar, Map, MarkovKernel, OnGroup, Result};
use symdiff_groups::{Action, Cloud, CompactGroup, Dense, Group, Set};
use symdiff_ops::{Batched, Noise, Samples};

/// Roundings of f64 that a few products of matrices may cost.
pub(crate) const ROUNDING: f64 = 1e-12;

pub(crate) fn normal(shape: &[usize], seed: u64) -> Result<Tensor> {
    Ok(Noise::seeded(seed).normal(&Samples::numbered(shape[0]), &shape[1..], DType::F64, &Device::Cpu)?)
}

/// `copies` copies of one cloud of m points of ℝⁿ.
pub(crate) fn copies(copies: usize, m: usize, n: usize, seed: u64) -> Result<Cloud> {
    Ok(Cloud::new(normal(&[1, m, n], seed)?.repeat((copies, 1, 1))?)?)
}

/// y = sin(x·W + position in the list): neither rotations nor permutations commute with it.
pub(crate) fn lopsided(x: &Tensor) -> Result<Tensor> {
    let (_, m, n) = x.dims3()?;
    let entries = (0..n * n).map(|k| (1.3 * k as f64 + 0.4).sin());
    let weight = Tensor::from_iter(entries, x.device())?.reshape((n, n))?;
    let places = Tensor::arange(0.0, m as f64, x.device())?.reshape((1, m, 1))?;
    Ok(x.broadcast_matmul(&weight)?.broadcast_add(&places)?.sin()?)
}

pub(crate) fn cloud_map() -> Map<Cloud, impl Fn(&Cloud) -> Result<Cloud> + Clone> {
    Map::new(|x: &Cloud| Ok(Cloud::new(lopsided(x.tensor())?)?))
}

pub(crate) fn set_map() -> Map<Set, impl Fn(&Set) -> Result<Set> + Clone> {
    Map::new(|x: &Set| Ok(Set::new(lopsided(x.tensor())?)?))
}

/// Raw 3 × 3 matrices from the first three points.
pub(crate) fn first_three() -> Map<Cloud, impl Fn(&Cloud) -> Result<Tensor> + Clone> {
    Map::new(|x: &Cloud| Ok(x.tensor().narrow(1, 0, 3)?.contiguous()?))
}

/// The bug of multiplying in the wrong order: r·g₀⁻¹ for g₀·r, with the same draws as `f.haar_symmetrised()`.
pub(crate) fn reversed_product<X, F>(f: F) -> impl MarkovKernel<X, Out = <F::Group as Group>::Element> + OnGroup<Group = F::Group>
where
    F: symdiff_core::GroupKernel<X>,
    F::Group: CompactGroup,
    X: Action<F::Group> + Batched,
{
    let group = f.group().clone();
    let product = Draw::new(move |x: &X, noise: Noise| {
        let [haar, inner] = noise.split();
        let group = f.group();
        let back = group.inverse(&Haar(group.clone()).sample(x, haar)?)?;
        let r = f.sample(&x.act(group, &back)?, inner)?;
        Ok(group.compose(&r, &back)?)
    });
    symdiff_core::On::new(group, product)
}
