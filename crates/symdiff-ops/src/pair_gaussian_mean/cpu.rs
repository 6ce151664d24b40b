//! One task per sample; each pair once, its features in vectors of sixteen.

use super::OP;
use crate::fill::{Blocks, fill, fill_one};
use crate::host::{Real, added_up, bind_slices, tensor};
use crate::simd::vectorised;
use crate::{Ragged, Result};
use candle_core::Tensor;

/// Features are computed this many at a time; their number is rounded up to whole vectors inside.
const LANES: usize = 16;
/// π as the source has it.
#[allow(clippy::approx_constant, reason = "the trained weights were trained with it")]
const PI: f64 = 3.14159;
/// The least width.
const FLOOR: f64 = 0.01;

pub(super) fn forward<T: Real>(x: &Tensor, means: &Tensor, sigmas: &Tensor, layout: &Ragged, count: usize) -> Result<Tensor> {
    bind_slices!(OP, T, x, means, sigmas);
    let basis = Basis::new(means, sigmas);
    let y = fill_one(4 * count * layout.pairs(), Blocks { bounds: layout.offsets(), width: count }, |sample, y| {
        let rows = layout.rows(sample);
        let mut sums = vec![T::default(); rows.len() * basis.width()];
        summed(&x[3 * rows.start..3 * rows.end], &basis.means, &basis.inverses, &mut sums);
        let weight = T::from_f64(1.0 / rows.len() as f64);
        for (y, sums) in y.chunks_exact_mut(count).zip(sums.chunks_exact(basis.width())) {
            for ((y, &sum), &height) in y.iter_mut().zip(sums).zip(&basis.heights) {
                *y = sum * (height * weight);
            }
        }
    });
    tensor(y, &[layout.nodes(), count])
}

pub(super) fn backward<T: Real>(x: &Tensor, means: &Tensor, sigmas: &Tensor, dy: &Tensor, layout: &Ragged) -> Result<[Tensor; 3]> {
    bind_slices!(OP, T, x, means, sigmas, dy);
    let (basis, count) = (Basis::new(means, sigmas), means.len());
    let samples: Vec<usize> = (0..=layout.len()).collect();
    let blocks = [Blocks { bounds: layout.offsets(), width: 3 }, Blocks { bounds: &samples, width: 2 * basis.width() }];
    let [dx, packed] = fill(4 * count * layout.pairs(), blocks, |sample, [dx, packed]| {
        let rows = layout.rows(sample);
        let weight = T::from_f64(1.0 / rows.len() as f64);
        let mut weights = vec![T::default(); rows.len() * basis.width()];
        for (weights, dy) in weights.chunks_exact_mut(basis.width()).zip(dy[count * rows.start..].chunks_exact(count)) {
            for ((w, &dy), &height) in weights.iter_mut().zip(dy).zip(&basis.heights) {
                *w = dy * (height * weight);
            }
        }
        let (firsts, seconds) = packed.split_at_mut(basis.width());
        pulled_back(&x[3 * rows.start..3 * rows.end], &basis.means, &basis.inverses, &weights, dx, firsts, seconds);
    });
    let total = added_up(&packed, 2 * basis.width());
    let (firsts, seconds) = total.split_at(basis.width());
    let dmeans = firsts[..count].iter().zip(&basis.inverses).map(|(&sum, &inverse)| sum * inverse).collect();
    let scales = basis.inverses.iter().zip(sigmas).map(|(&inverse, &sigma)| inverse * sign(sigma));
    let dsigmas = seconds[..count].iter().zip(scales).map(|(&sum, scale)| sum * scale).collect();
    Ok([tensor(dx, &[layout.nodes(), 3])?, tensor(dmeans, &[count])?, tensor(dsigmas, &[count])?])
}

fn sign<T: Real>(x: T) -> T {
    T::one_if(x > T::default()) - T::one_if(x < T::default())
}

/// μ, 1/s and the height of each Gaussian, the first two filled up to whole vectors.
struct Basis<T> {
    means: Vec<T>,
    inverses: Vec<T>,
    heights: Vec<T>,
}

impl<T: Real> Basis<T> {
    fn new(means: &[T], sigmas: &[T]) -> Self {
        let width = means.len().next_multiple_of(LANES);
        let widths: Vec<f64> = sigmas.iter().map(|sigma| sigma.to_f64().abs() + FLOOR).collect();
        let mut basis = Self {
            means: means.to_vec(),
            inverses: widths.iter().map(|s| T::from_f64(1.0 / s)).collect(),
            heights: widths.iter().map(|s| T::from_f64(1.0 / ((2.0 * PI).sqrt() * s))).collect(),
        };
        basis.means.resize(width, T::default());
        basis.inverses.resize(width, T::default());
        basis
    }

    /// K, rounded up.
    fn width(&self) -> usize {
        self.means.len()
    }
}

vectorised! {
    /// The sum of exp(−z²/2) over j for each node, z = (d − μ) / s.
    fn summed<T>(x: &[T], means: &[T], inverses: &[T], sums: &mut [T]) {
        let (width, nodes) = (means.len(), x.len() / 3);
        let (own, _) = sums.split_at_mut(width);
        for ((own, mean), inverse) in vectors_mut(own).zip(vectors(means)).zip(vectors(inverses)) {
            for l in 0..LANES {
                own[l] = bump(-mean[l] * inverse[l]);
            }
        }
        for node in 1..nodes {
            sums.copy_within(..width, node * width);
        }
        for i in 0..nodes {
            let (head, tail) = sums.split_at_mut((i + 1) * width);
            for (j, other) in (i + 1..nodes).zip(tail.chunks_exact_mut(width)) {
                let d = distance(x, i, j);
                let own = vectors_mut(&mut head[i * width..]);
                for (((own, other), mean), inverse) in own.zip(vectors_mut(other)).zip(vectors(means)).zip(vectors(inverses)) {
                    for l in 0..LANES {
                        let feature = bump((d - mean[l]) * inverse[l]);
                        own[l] += feature;
                        other[l] += feature;
                    }
                }
            }
        }
    }

    /// With p = weight·exp(−z²/2) over all pairs: firsts = Σ p·z, seconds = Σ p·(z² − 1), and dx from ∂/∂d = −Σ p·z/s.
    fn pulled_back<T>(x: &[T], means: &[T], inverses: &[T], weights: &[T], dx: &mut [T], firsts: &mut [T], seconds: &mut [T]) {
        let (width, nodes, one) = (means.len(), x.len() / 3, T::one_if(true));
        let mut alone = vec![T::default(); width];
        for weights in weights.chunks_exact(width) {
            alone.iter_mut().zip(weights).for_each(|(sum, &weight)| *sum += weight);
        }
        for k in 0..width {
            let z = -means[k] * inverses[k];
            let p = alone[k] * bump(z);
            firsts[k] = p * z;
            seconds[k] = p * (z * z - one);
        }
        for i in 0..nodes {
            let own = &weights[i * width..][..width];
            for j in i + 1..nodes {
                let d = distance(x, i, j);
                let mut slopes = [T::default(); LANES];
                let pair = vectors(own).zip(vectors(&weights[j * width..][..width]));
                let sums = vectors_mut(firsts).zip(vectors_mut(seconds));
                for (((own, other), (first, second)), (mean, inverse)) in pair.zip(sums).zip(vectors(means).zip(vectors(inverses))) {
                    for l in 0..LANES {
                        let z = (d - mean[l]) * inverse[l];
                        let p = (own[l] + other[l]) * bump(z);
                        let pz = p * z;
                        first[l] += pz;
                        second[l] += pz.fma(z, -p);
                        slopes[l] = pz.fma(inverse[l], slopes[l]);
                    }
                }
                let slope = slopes.iter().fold(T::default(), |sum, &slope| sum - slope);
                let factor = if d > T::default() { slope / d } else { T::default() };
                for axis in 0..3 {
                    let pull = factor * (x[3 * i + axis] - x[3 * j + axis]);
                    dx[3 * i + axis] += pull;
                    dx[3 * j + axis] += -pull;
                }
            }
        }
    }
}

#[inline(always)]
fn bump<T: Real>(z: T) -> T {
    (z * z * T::from_f64(-0.5)).exp_nonpositive()
}

#[inline(always)]
fn distance<T: Real>(x: &[T], i: usize, j: usize) -> T {
    let [a, b, c] = [0, 1, 2].map(|axis| x[3 * i + axis] - x[3 * j + axis]);
    (a * a + b * b + c * c).sqrt()
}

#[inline(always)]
fn vectors<T>(values: &[T]) -> std::slice::Iter<'_, [T; LANES]> {
    values.as_chunks().0.iter()
}

#[inline(always)]
fn vectors_mut<T>(values: &mut [T]) -> std::slice::IterMut<'_, [T; LANES]> {
    values.as_chunks_mut().0.iter_mut()
}
