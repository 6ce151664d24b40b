//! How close molecules come to what they were asked to be.

use super::statistics::correlation;
use serde::Serialize;

/// A property that was asked for, over the molecules of which it could be computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetSummary {
    /// Σ |got − asked| / M, in the property's unit; `None` of no molecule.
    pub mae: Option<f64>,
    /// The same between each molecule and what was asked of every *other* one: what would be met by chance. `None` of fewer than two molecules.
    pub mae_shuffled: Option<f64>,
    /// Pearson's correlation of asked and got; `None` where one of them does not vary.
    pub correlation: Option<f64>,
    /// M.
    pub molecules: usize,
}

impl TargetSummary {
    /// Summarises pairs (asked, got).
    ///
    /// # Cost
    /// M·log M.
    pub fn of(pairs: &[(f64, f64)]) -> Self {
        let count = pairs.len();
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count as f64;
        let some = |value: f64, least: usize| (count >= least).then_some(value).filter(|value| value.is_finite());
        let own = mean(&|(asked, got)| (got - asked).abs());
        let others = (all_distances(pairs) - own * count as f64) / (count as f64 * (count as f64 - 1.0));
        Self {
            mae: some(own, 1),
            mae_shuffled: some(others, 2),
            correlation: correlation(&pairs.iter().map(|(asked, got)| [*asked, *got]).collect::<Vec<_>>()),
            molecules: count,
        }
    }
}

/// Σ |got_i − asked_j| over all i and j.
fn all_distances(pairs: &[(f64, f64)]) -> f64 {
    let mut asked: Vec<f64> = pairs.iter().map(|pair| pair.0).collect();
    asked.sort_unstable_by(f64::total_cmp);
    let mut below = vec![0.0];
    for value in &asked {
        below.push(below[below.len() - 1] + value);
    }
    let total = below[asked.len()];
    let of_one = |got: f64| {
        let place = asked.partition_point(|value| *value < got);
        got * place as f64 - below[place] + (total - below[place]) - got * (asked.len() - place) as f64
    };
    pairs.iter().map(|pair| of_one(pair.1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_of_the_definition() {
        let pairs = [(1.0, 1.5), (2.0, 1.0), (4.0, 4.0), (0.0, -3.0), (2.0, 2.5)];
        let found = TargetSummary::of(&pairs);
        let others: f64 =
            (0..5).flat_map(|i| (0..5).filter(move |j| *j != i).map(move |j| (i, j))).map(|(i, j)| (pairs[i].1 - pairs[j].0).abs()).sum();
        assert!((found.mae.unwrap() - 1.0).abs() < 1e-12, "{found:?}");
        assert!((found.mae_shuffled.unwrap() - others / 20.0).abs() < 1e-12, "{found:?} {}", others / 20.0);
        assert_eq!(found.molecules, 5);
        let line = TargetSummary::of(&[(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]);
        assert!((line.correlation.unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_no_molecule_has_is_null() {
        let none = TargetSummary::of(&[]);
        assert_eq!((none.mae, none.mae_shuffled, none.correlation, none.molecules), (None, None, None, 0));
        let one = TargetSummary::of(&[(1.0, 2.0)]);
        assert_eq!((one.mae, one.mae_shuffled, one.correlation), (Some(1.0), None, None));
        assert_eq!(TargetSummary::of(&[(1.0, 2.0), (1.0, 3.0)]).correlation, None);
    }
}
