//! 95 % intervals of numbers that a set of molecules gives: how far another set of the same size and origin might lie from it.
//!
//! | number | interval | source |
//! |---|---|---|
//! | share k/n of molecules | Wilson's, (p + z²/2n ± z√(p(1−p)/n + z²/4n²)) / (1 + z²/n) | Wilson, J. Am. Stat. Assoc. 22, 209 (1927) |
//! | ratio of sums, mean, median, distance | 2.5 % and 97.5 % quantiles over sets drawn with replacement | Efron, Ann. Stat. 7, 1 (1979) |
//! | share of distinct values | the jackknife's: leaving out a molecule loses a value if, and only if, no other has it, so the share of such molecules takes the place of p in Wilson's | Quenouille, Biometrika 43, 353 (1956) |
//!
//! Drawing with replacement makes duplicates, so no such set tells how many values of another one would be distinct.

use rand_mt::Mt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A number with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The number.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How the ends were found.
    pub interval: IntervalKind,
}

/// How the ends of an interval were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalKind {
    /// Wilson's for a share.
    Wilson,
    /// Quantiles over sets of molecules drawn with replacement.
    Bootstrap,
    /// The jackknife's variance, in Wilson's form.
    Jackknife,
}

/// How the bootstrap draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// Sets drawn.
    pub replicates: u32,
    /// Seed of the first; the same seed gives the same intervals.
    pub seed: u64,
}

impl Resampling {
    /// The smallest number of sets of which one is expected beyond either end of a 95 % interval.
    pub const LEAST: u32 = 40;
}

impl Interval {
    /// Wilson's interval of `count` out of `whole`; `None` of nothing.
    ///
    /// ```
    /// use symdiff_mol::metrics::Interval;
    /// let none = Interval::of_share(0, 100).unwrap();
    /// assert!(none.low == 0.0 && (none.high - 0.0370).abs() < 1e-4);
    /// ```
    pub fn of_share(count: usize, whole: usize) -> Option<Self> {
        let p = count as f64 / whole as f64;
        (whole > 0).then(|| {
            let [low, high] = wilson(p, whole as f64);
            Self { value: p, low, high, interval: IntervalKind::Wilson }
        })
    }

    /// The share of distinct values among `whole`, of which `single` are shared with no other.
    pub fn of_distinct(distinct: usize, single: usize, whole: usize) -> Option<Self> {
        let (value, p) = (distinct as f64 / whole as f64, single as f64 / whole as f64);
        (whole > 0).then(|| {
            let [low, high] = wilson(p, whole as f64);
            let (low, high) = ((value - (p - low)).max(0.0), (value + (high - p)).min(1.0));
            Self { value, low, high, interval: IntervalKind::Jackknife }
        })
    }

    /// Quantiles of a statistic over sets of `count` molecules drawn with replacement: it is given how often each molecule is drawn. `None` where the molecules
    /// themselves, or all of the sets drawn, have no such number: without a set drawn there is no interval.
    ///
    /// # Cost
    /// One call of the statistic a replicate, on all threads.
    pub fn bootstrap(count: usize, draw: Resampling, statistic: impl Fn(&[u32]) -> Option<f64> + Sync) -> Option<Self> {
        let value = statistic(&vec![1; count])?;
        let mut drawn: Vec<f64> = (0..draw.replicates)
            .into_par_iter()
            .filter_map(|replicate| statistic(&resampled(count, draw.seed.wrapping_add(u64::from(replicate)))))
            .collect();
        drawn.sort_unstable_by(f64::total_cmp);
        let quantile = |share: f64| drawn.get((share * drawn.len().saturating_sub(1) as f64).round() as usize).copied();
        Some(Self { value, low: quantile(0.025)?, high: quantile(0.975)?, interval: IntervalKind::Bootstrap })
    }

    /// The interval of the difference from another set's number, whose errors have this correlation (0 of independent sets), as `[low, high]`.
    ///
    /// # Source
    /// Newcombe, Stat. Med. 17, 873 (1998), method 10, and 17, 2635 (1998) of pairs; Zou and Donner, Stat. Med. 27, 1693 (2008) of other numbers.
    pub fn minus(self, other: Self, correlation: f64) -> [f64; 2] {
        let reach = |a: f64, b: f64| (a * a - 2.0 * correlation * a * b + b * b).max(0.0).sqrt();
        let difference = self.value - other.value;
        let low = difference - reach(self.value - self.low, other.high - other.value);
        [low, difference + reach(self.high - self.value, other.value - other.low)]
    }
}

/// The ends around a share p of n > 0.
fn wilson(p: f64, n: f64) -> [f64; 2] {
    let z = Z * Z / n;
    let (centre, reach) = (p + 0.5 * z, Z * (p * (1.0 - p) / n + 0.25 * z / n).sqrt());
    [((centre - reach) / (1.0 + z)).clamp(0.0, p), ((centre + reach) / (1.0 + z)).clamp(p, 1.0)]
}

/// How often each of `count` molecules comes up in `count` draws with replacement.
fn resampled(count: usize, seed: u64) -> Vec<u32> {
    let mut twister = twister(seed);
    let mut weights = vec![0; count];
    for _ in 0..count {
        weights[below(&mut twister, count)] += 1;
    }
    weights
}

/// The numbers of a seed. One of more than 32 bits is a key of two words.
pub(super) fn twister(seed: u64) -> Mt {
    u32::try_from(seed).map_or_else(|_| Mt::new_with_key([seed as u32, (seed >> 32) as u32]), Mt::new)
}

/// A number below `count`. The bias of the product, count / 2³², is far below the error of what is drawn.
pub(super) fn below(twister: &mut Mt, count: usize) -> usize {
    ((u64::from(twister.next_u32()) * count as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The interval of Wilson's own formula at 81 of 263 (Newcombe 1998, table I): 0.2553 to 0.3662.
    #[test]
    fn published_shares_and_differences() {
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 6e-5, "{found}, expected {expected}");
        let share = Interval::of_share(81, 263).unwrap();
        close(share.low, 0.2553);
        close(share.high, 0.3662);
        assert_eq!(Interval::of_share(5, 5).unwrap().high, 1.0);
        assert_eq!(Interval::of_share(0, 0), None);
        // Newcombe 1998, table II, method 10: 56/70 − 48/80 lies in 0.0524 to 0.3339.
        let [low, high] = Interval::of_share(56, 70).unwrap().minus(Interval::of_share(48, 80).unwrap(), 0.0);
        close(low, 0.0524);
        close(high, 0.3339);
    }

    #[test]
    fn without_a_set_drawn_there_is_no_interval() {
        let first = |weights: &[u32]| Some(f64::from(weights[0]));
        assert_eq!(Interval::bootstrap(5, Resampling { replicates: 0, seed: 0 }, first), None);
        assert!(Interval::bootstrap(5, Resampling { replicates: Resampling::LEAST, seed: 0 }, first).is_some());
    }

    /// Of 2,000 sets of 50 coins that fall with 0.1, the intervals of 94 % to 98 % hold 0.1, and those of means of 50 uniform numbers hold their mean.
    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        let mut twister = Mt::new(7);
        let (mut shares, mut means) = (0, 0);
        for round in 0..2000 {
            let uniform: Vec<f64> = (0..50).map(|_| f64::from(twister.next_u32()) / 2_f64.powi(32)).collect();
            let count = uniform.iter().filter(|u| **u < 0.1).count();
            let share = Interval::of_share(count, 50).unwrap();
            shares += usize::from(share.low <= 0.1 && 0.1 <= share.high);
            if round < 400 {
                let mean = |weights: &[u32]| Some(weights.iter().zip(&uniform).map(|(w, u)| f64::from(*w) * u).sum::<f64>() / 50.0);
                let found = Interval::bootstrap(50, Resampling { replicates: 400, seed: round * 1000 }, mean).unwrap();
                means += usize::from(found.low <= 0.5 && 0.5 <= found.high);
            }
        }
        assert!((1880..=1960).contains(&shares), "{shares} of 2000");
        // 400 tries at 0.94 have a standard deviation of 5.
        assert!((355..=396).contains(&means), "{means} of 400");
    }

    /// Of sets of 60 draws among 100 values, the spread of the share of distinct ones is what the jackknife says, within a fifth.
    #[test]
    fn the_jackknife_knows_the_spread_of_distinct_values() {
        let mut twister = Mt::new(8);
        let (mut values, mut widths) = (Vec::new(), Vec::new());
        for _ in 0..2000 {
            let mut counts = [0_usize; 100];
            for _ in 0..60 {
                counts[below(&mut twister, 100)] += 1;
            }
            let (distinct, single) = (counts.iter().filter(|c| **c > 0).count(), counts.iter().filter(|c| **c == 1).count());
            let found = Interval::of_distinct(distinct, single, 60).unwrap();
            values.push(found.value);
            widths.push((found.high - found.low) / (2.0 * Z));
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let centre = mean(&values);
        let spread = mean(&values.iter().map(|v| (v - centre).powi(2)).collect::<Vec<_>>()).sqrt();
        // Efron and Stein (1981): the jackknife's variance is no less than the true one on average.
        assert!(mean(&widths) > spread && mean(&widths) < 2.0 * spread, "{} and {spread}", mean(&widths));
        assert_eq!(Interval::of_distinct(30, 30, 30).unwrap().high, 1.0);
    }
}
