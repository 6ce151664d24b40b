//! Guidance without a classifier: a step away from what the model says of no condition.

use crate::prediction::mixed;
use crate::{At, Denoiser, Eps, Error, Result, Times};
use candle_core::Tensor;
use symdiff_core::MarkovKernel;
use symdiff_ops::{Batched, Euclidean, Noise};

/// A condition that can be left out: training leaves it out now and then, and guidance compares with the answer that is given without it.
pub trait Optional: Clone {
    /// The empty condition ∅ of as many samples.
    #[must_use]
    fn without(&self) -> Self;

    /// Whether nothing is asked of any sample.
    fn is_empty(&self) -> bool;
}

/// What a kernel is given at a time: a state, and a condition that can be left out.
pub trait Conditional: Batched {
    /// The same under the empty condition ∅.
    #[must_use]
    fn unconditional(&self) -> Self;

    /// Whether the condition is empty.
    fn asks_nothing(&self) -> bool;

    /// t.
    fn times(&self) -> &Times;
}

impl<S: Batched + Clone, C: Optional> Conditional for At<S, C> {
    fn unconditional(&self) -> Self {
        Self { state: self.state.clone(), time: self.time.clone(), given: self.given.without() }
    }

    fn asks_nothing(&self) -> bool {
        self.given.is_empty()
    }

    fn times(&self) -> &Times {
        &self.time
    }
}

/// How strongly to guide, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guidance {
    weight: f64,
    from: f64,
    to: f64,
}

impl Guidance {
    /// w = 0: the answer under the condition, as it was learned.
    pub const NONE: Self = Self { weight: 0.0, from: 0.0, to: 1.0 };

    /// The weight w at all times. −1 is the answer without the condition, 0 the one with it, and more is further away from the former.
    ///
    /// # Errors
    /// [`Error::Config`] when w is not finite, or below −1.
    pub fn new(weight: f64) -> Result<Self> {
        if weight.is_finite() && weight >= -1.0 {
            return Ok(Self { weight, ..Self::NONE });
        }
        Err(Error::Config(format!("a guidance of weight {weight} leads nowhere; give a number of at least -1, such as 1")))
    }

    /// The same at times from `from` to `to` alone, both included; the weight is 0 at others.
    ///
    /// # Errors
    /// [`Error::Config`] unless 0 ≤ from ≤ to ≤ 1.
    ///
    /// # Source
    /// Kynkäänniemi et al., arXiv 2404.07724.
    pub fn within(self, from: f64, to: f64) -> Result<Self> {
        if (0.0..=1.0).contains(&from) && (from..=1.0).contains(&to) {
            return Ok(Self { from, to, ..self });
        }
        Err(Error::Config(format!("guidance from time {from} to {to}: give two times of 0 (data) to 1 (noise), the smaller one first")))
    }

    /// w.
    pub fn weight(self) -> f64 {
        self.weight
    }

    /// w at a time.
    pub fn at(self, time: f64) -> f64 {
        if (self.from..=self.to).contains(&time) { self.weight } else { 0.0 }
    }
}

/// (1 + w)·k(z, c) − w·k(z, ∅): a kernel whose prediction is moved away from the one that it makes without the condition.
///
/// Wrap a network in this *before* it is symmetrised. Then the two predictions are made in one frame g, and symmetrisation has one kernel before it, to which all of its proofs
/// apply. Two symmetrised kernels, each in a frame of its own, would also be equivariant in law, but their difference would hold that of two frames too, multiplied by w: see docs/src/theory.md.
///
/// Both calls draw from the same stream. Where w is 0 there is one call, and the answer is that of k bit for bit. A network may predict noise, data, velocity or score: all are the same affine
/// function of each other at a given z and t, and the two weights sum to 1.
///
/// # Cost
/// Two calls of k where w is not 0 and anything is asked.
///
/// # Source
/// Ho and Salimans, arXiv 2207.12598, equation 6.
#[derive(Clone, Copy, Debug)]
pub struct Guided<K> {
    kernel: K,
    guidance: Guidance,
}

impl<K> Guided<K> {
    /// `kernel`, guided.
    pub fn new(kernel: K, guidance: Guidance) -> Self {
        Self { kernel, guidance }
    }
}

impl<X, S, K> MarkovKernel<X> for Guided<K>
where
    X: Conditional,
    S: Euclidean,
    K: MarkovKernel<X, Out = Eps<S>>,
{
    type Out = Eps<S>;

    fn sample(&self, x: &X, noise: Noise) -> symdiff_core::Result<Eps<S>> {
        let samples = x.samples().len();
        let weights: Vec<f64> = x.times().per_sample(samples).into_iter().map(|time| self.guidance.at(time)).collect();
        if x.asks_nothing() || weights.iter().all(|weight| *weight == 0.0) {
            return self.kernel.sample(x, noise);
        }
        let draws = noise.steps();
        let Eps(asked) = self.kernel.sample(x, draws.at(0))?;
        let Eps(free) = self.kernel.sample(&x.unconditional(), draws.at(0))?;
        let weights = Tensor::from_vec(weights, samples, &asked.device())?;
        Ok(Eps(mixed(&asked, &(&weights + 1.0)?, &free, &weights.neg()?)?))
    }
}

/// A denoiser without a condition as one that ignores what it is given.
#[derive(Clone, Copy, Debug)]
pub struct Unconditional<K>(pub K);

impl<S, C, K> MarkovKernel<At<S, C>> for Unconditional<K>
where
    S: Clone,
    K: Denoiser<S>,
{
    type Out = Eps<S>;

    fn sample(&self, at: &At<S, C>, noise: Noise) -> symdiff_core::Result<Eps<S>> {
        self.0.sample(&At::new(at.state.clone(), at.time.clone()), noise)
    }
}
