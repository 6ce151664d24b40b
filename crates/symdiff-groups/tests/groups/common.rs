//! What the tests of groups share.

use candle_core::{DType, Device, Tensor};
use proptest::test_runner::Config as ProptestConfig;
use symdiff_groups::testing::{check_action, check_group};
use symdiff_groups::{Action, CompactGroup, EuclideanGroup, Group, MatrixGroup, Motions, Observe, Result, Shifts, Translations};
use symdiff_ops::{Batched, Noise, Ragged, Samples};

/// Roundings of f64 that three products of matrices may cost.
pub(crate) const ROUNDING: f64 = 200.0 * f64::EPSILON;

pub(crate) const B: usize = 3;

pub(crate) fn normal(shape: &[usize], seed: u64) -> Result<Tensor> {
    Ok(Noise::seeded(seed).normal(&Samples::numbered(shape[0]), &shape[1..], DType::F64, &Device::Cpu)?)
}

pub(crate) fn layout() -> Result<Ragged> {
    Ok(Ragged::from_sizes(&[4, 1, 3])?)
}

/// So many cases, and no file of past failures: every failure becomes a named test.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(count) }
}

/// Elements from a seed, Haar or not.
pub(crate) trait Random: Group {
    fn random(&self, like: &impl Batched, seed: u64) -> Result<Self::Element>;
}

impl<G: CompactGroup> Random for G {
    fn random(&self, like: &impl Batched, seed: u64) -> Result<G::Element> {
        self.haar(like, Noise::seeded(seed))
    }
}

/// Normal translations.
pub(crate) fn shifts(n: usize, seed: u64) -> Result<Shifts> {
    Translations::new(n).element(&normal(&[B, n], seed)?)
}

/// Haar turns, then normal translations.
pub(crate) fn motions<L: MatrixGroup + CompactGroup>(group: &EuclideanGroup<L>, seed: u64) -> Result<Motions> {
    let like = normal(&[B], seed)?;
    group.element(group.linear().haar(&like, Noise::seeded(seed))?, shifts(group.linear().n(), seed)?)
}

pub(crate) fn axioms<G: Group<Element: Observe>>(group: &G, draw: impl Fn(u64) -> Result<G::Element>, seed: u64) -> Result<f64> {
    let like = normal(&[B], seed)?;
    let [a, b, c] = [draw(seed)?, draw(seed ^ 1)?, draw(seed ^ 2)?];
    check_group(group, &like, [&a, &b, &c])
}

pub(crate) fn action<G: Group, X: Action<G> + Observe + Batched>(
    group: &G,
    x: &X,
    draw: impl Fn(u64) -> Result<G::Element>,
    seed: u64,
) -> Result<f64> {
    check_action(group, x, [&draw(seed)?, &draw(seed ^ 1)?])
}
