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
pub struct TwoSample {
    /// The energy distance of the two samples (with self-distances, hence never negative).
    pub statistic: f64,
    /// The chance of a statistic as large if the two laws are equal.
    pub p_value: f64,
    /// Draws of each law.
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
pub fn two_sample(a: &[Vec<f64>], b: &[Vec<f64>], permutations: usize, mut generator: impl Rng) -> Result<TwoSample> {
    check(a, b, 2)?;
    if a.len() != b.len() {
        return Err(Error::Draws { what: "two-sample test, second sample", got: b.len(), needed: a.len() });
    }
    let pooled = Pooled::new(a, b);
    let mut order: Vec<usize> = (0..2 * a.len()).collect();
    let statistic = pooled.statistic(&order[..a.len()]);
    let rounding = 1e-12 * pooled.total / (a.len() * a.len()) as f64;
    let mut as_large = 1;
    for _ in 0..permutations {
        for i in 0..a.len() {
            let j = i + (generator.next_u64() % (order.len() - i) as u64) as usize;
            order.swap(i, j);
        }
        as_large += usize::from(pooled.statistic(&order[..a.len()]) >= statistic - rounding);
    }
    Ok(TwoSample { statistic, p_value: as_large as f64 / (permutations + 1) as f64, draws: a.len() })
}

/// All distances of the pooled draws, with their row sums.
struct Pooled {
    distances: Vec<Vec<f64>>,
    rows: Vec<f64>,
    total: f64,
}

impl Pooled {
    fn new(a: &[Vec<f64>], b: &[Vec<f64>]) -> Self {
        let all: Vec<&Vec<f64>> = a.iter().chain(b).collect();
        let mut distances = vec![vec![0.0; all.len()]; all.len()];
        for i in 0..all.len() {
            for j in 0..i {
                let d = distance(all[i], all[j]);
                (distances[i][j], distances[j][i]) = (d, d);
            }
        }
        let rows: Vec<f64> = distances.iter().map(|row| row.iter().sum()).collect();
        let total = rows.iter().sum();
        Self { distances, rows, total }
    }

    /// (2·Σ_AB − Σ_AA − Σ_BB) / n², of which Σ_AA and the row sums give the rest.
    fn statistic(&self, first: &[usize]) -> f64 {
        let within: f64 = first.iter().enumerate().map(|(k, &i)| first[..k].iter().map(|&j| self.distances[i][j]).sum::<f64>()).sum();
        let within = 2.0 * within;
        let between = first.iter().map(|&i| self.rows[i]).sum::<f64>() - within;
        let others = self.total - within - 2.0 * between;
        (2.0 * between - within - others) / (first.len() * first.len()) as f64
    }
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
