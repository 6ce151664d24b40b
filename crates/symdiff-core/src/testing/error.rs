//! How far from equivariant, with a confidence interval.

use crate::{Error, MarkovKernel, Result};
use symdiff_groups::{Action, CompactGroup, Observe};
use symdiff_ops::{Batched, Noise};

/// A mean over independent draws of the group element, with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The number of independent draws.
    pub draws: usize,
}

impl Estimate {
    /// The interval that holds the expectation in 95 of 100 cases, for large numbers of draws.
    pub fn interval(&self) -> (f64, f64) {
        let reach = 1.959_964 * self.standard_error;
        (self.value - reach, self.value + reach)
    }

    pub(super) fn of(what: &'static str, values: &[f64]) -> Result<Self> {
        let draws = values.len();
        if draws < 2 {
            return Err(Error::Draws { what, got: draws, needed: 2 });
        }
        let n = draws as f64;
        let value = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (n - 1.0);
        Ok(Self { value, standard_error: (variance / n).sqrt(), draws })
    }
}

/// E‖k(h·x; ω) − h·k(x; ω)‖² / E‖k(x; ω)‖² over Haar draws of h, the kernel's own noise ω being the same on both sides; x is held fixed.
///
/// Zero for equivariant networks. For a symmetrised kernel use [`super::LawTest::discrepancy`]: it is equivariant in law, not for equal noise.
///
/// # Errors
/// Any error of the kernel, or with fewer than two draws of h.
pub fn equivariance_error<G, X, K>(group: &G, kernel: &K, x: &X, draws: usize, noise: Noise) -> Result<Estimate>
where
    G: CompactGroup,
    X: Action<G> + Batched,
    K: MarkovKernel<X, Out: Action<G> + Observe>,
{
    let mut values = Vec::with_capacity(draws);
    for noise in noise.repeats(draws) {
        let [h, inner] = noise.split();
        let (h, inner) = (group.haar(x, h)?, inner.steps());
        let moved_first = kernel.sample(&x.act(group, &h)?, inner.at(0))?.observe()?;
        let moved_last = kernel.sample(x, inner.at(0))?.act(group, &h)?.observe()?;
        let pairs = || moved_first.iter().flatten().zip(moved_last.iter().flatten());
        let size: f64 = pairs().map(|(_, b)| b * b).sum();
        values.push(pairs().map(|(a, b)| (a - b).powi(2)).sum::<f64>() / size.max(f64::MIN_POSITIVE));
    }
    Estimate::of("equivariance error", &values)
}
