//! The energy distance of two samples, and its permutation test.
//!
//! For independent X, X' of one law and Y, Y' of another, with finite means,
//!
//!   E = 2·E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖ ≥ 0,   with equality only for equal laws.
//!
//! If the laws are equal, the pooled draws are exchangeable, so that the statistic's rank among its values for random relabellings is
//! uniform: the p-value is exact at any number of draws.
//!
//! # Source
//! Székely, Rizzo, "Energy statistics: a class of statistics based on distances", J. Stat. Plan. Inference 143 (2013).

use crate::{Error, Result};
use rand::Rng;

/// What a two-sample test found.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TwoSample {
    /// The energy distance of the two samples (with self-distances, hence never negative).
    pub statistic: f64,
    /// The chance of a statistic as large if the two laws are equal.
    pub p_value: f64,
    /// Draws of each law, of all pairs together.
    pub draws: usize,
}

/// The energy distance of the laws that a and b were drawn from, estimated without bias; it may be slightly negative.
///
/// # Errors
/// When either has fewer than two draws or the draws differ in length.
pub fn energy_distance(a: &[Vec<f64>], b: &[Vec<f64>]) -> Result<f64> {
    check(a, b, 2)?;
    let total = |x: &[Vec<f64>], y: &[Vec<f64>]| x.iter().map(|x| y.iter().map(|y| distance(x, y)).sum::<f64>()).sum::<f64>();
    let (n, m) = (a.len() as f64, b.len() as f64);
    Ok(2.0 * total(a, b) / (n * m) - total(a, a) / (n * (n - 1.0)) - total(b, b) / (m * (m - 1.0)))
}

/// Tests whether a and b, equally many draws `[n][D]`, come from one law.
///
/// # Cost
/// 2·n² distances, then n²/2 additions per permutation.
///
/// # Errors
/// When there are fewer than two draws, the numbers of draws differ, or the draws differ in length.
pub fn two_sample(a: &[Vec<f64>], b: &[Vec<f64>], permutations: usize, generator: impl Rng) -> Result<TwoSample> {
    stratified(&[(a.to_vec(), b.to_vec())], permutations, generator)
}

/// Draws, one row each, of two laws that are to be distinguished.
pub(super) type Pair = (Vec<Vec<f64>>, Vec<Vec<f64>>);

/// Tests several pairs of samples at once: whether every pair comes from one law of its own. The statistics add up, and labels are exchanged within
/// pairs alone, so that the p-value stays exact.
pub(super) fn stratified(pairs: &[Pair], permutations: usize, mut generator: impl Rng) -> Result<TwoSample> {
    let mut strata = Vec::with_capacity(pairs.len());
    for (a, b) in pairs {
        check(a, b, 2)?;
        if a.len() != b.len() {
            return Err(Error::Draws { what: "two-sample test, second sample", got: b.len(), needed: a.len() });
        }
        strata.push(Pooled::new(a, b));
    }
    let statistic: f64 = strata.iter().map(Pooled::statistic).sum();
    let rounding = 1e-12 * strata.iter().map(|pooled| pooled.total / pooled.half().pow(2) as f64).sum::<f64>();
    let mut as_large = 1;
    for _ in 0..permutations {
        for pooled in &mut strata {
            pooled.relabel(&mut generator);
        }
        as_large += usize::from(strata.iter().map(Pooled::statistic).sum::<f64>() >= statistic - rounding);
    }
    let draws = strata.iter().map(Pooled::half).sum();
    Ok(TwoSample { statistic: statistic / strata.len() as f64, p_value: as_large as f64 / (permutations + 1) as f64, draws })
}

/// All distances of the pooled draws, `[2n][2n]` row by row, their row sums, and labels: the first half of `order` is the first sample.
struct Pooled {
    distances: Vec<f64>,
    rows: Vec<f64>,
    total: f64,
    order: Vec<u32>,
}

impl Pooled {
    fn new(a: &[Vec<f64>], b: &[Vec<f64>]) -> Self {
        let all: Vec<&Vec<f64>> = a.iter().chain(b).collect();
        let size = all.len();
        let mut distances = vec![0.0; size * size];
        for i in 0..size {
            for j in 0..i {
                let d = distance(all[i], all[j]);
                (distances[i * size + j], distances[j * size + i]) = (d, d);
            }
        }
        let rows: Vec<f64> = distances.chunks_exact(size).map(|row| row.iter().sum()).collect();
        let total = rows.iter().sum();
        Self { distances, rows, total, order: (0..size as u32).collect() }
    }

    fn half(&self) -> usize {
        self.order.len() / 2
    }

    /// Draws a random half of the pool into the first half of `order`.
    fn relabel(&mut self, generator: &mut impl Rng) {
        for i in 0..self.half() {
            let j = i + (generator.next_u64() % (self.order.len() - i) as u64) as usize;
            self.order.swap(i, j);
        }
    }

    /// (2·Σ_AB − Σ_AA − Σ_BB) / n², of which Σ_AA and the row sums give the rest.
    fn statistic(&self) -> f64 {
        let (first, size) = (&self.order[..self.half()], self.order.len());
        let row = |i: u32| &self.distances[i as usize * size..][..size];
        let half: f64 = first.iter().enumerate().map(|(k, &i)| sum_at(row(i), &first[..k])).sum();
        let within = 2.0 * half;
        let between = first.iter().map(|&i| self.rows[i as usize]).sum::<f64>() - within;
        let others = self.total - within - 2.0 * between;
        (2.0 * between - within - others) / (first.len() * first.len()) as f64
    }
}

/// Σ row[j] over the given places: four independent sums, whose additions overlap.
fn sum_at(row: &[f64], places: &[u32]) -> f64 {
    let (fours, rest) = places.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for four in fours {
        sums.iter_mut().zip(four).for_each(|(sum, &j)| *sum += row[j as usize]);
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&j| row[j as usize]).sum::<f64>()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

fn check(a: &[Vec<f64>], b: &[Vec<f64>], needed: usize) -> Result<()> {
    let got = a.len().min(b.len());
    if got < needed {
        return Err(Error::Draws { what: "energy distance", got, needed });
    }
    let mut lengths = a.iter().chain(b).map(Vec::len);
    let first = lengths.next().unwrap_or_default();
    match lengths.find(|&other| other != first) {
        Some(other) => Err(Error::Lengths { first, other }),
        None => Ok(()),
    }
}
