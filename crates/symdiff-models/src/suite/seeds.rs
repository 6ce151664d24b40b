//! Scores over training seeds: how well a way of training does, not one of its results.
//!
//! Two runs of one seed start from the same draws and see the same batches, so runs are compared seed by seed: Student's t of the differences, with one
//! degree of freedom less than seeds. Over runs, p is corrected as by Holm, for each score apart.

use super::scores::{Estimate, Scores};
use serde::Serialize;
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};
use symdiff_mol::metrics::{LEVEL, holm};

/// One score of a run beside that of another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeedTest {
    /// The run.
    pub run: String,
    /// The one it is compared with.
    pub reference: String,
    /// The score.
    pub score: &'static str,
    /// The run's minus the reference's, mean over seeds.
    pub difference: f64,
    /// Its standard error over seeds.
    pub standard_error: f64,
    /// The interval that holds the true difference with 95 %, by Student's t.
    pub interval: [f64; 2],
    /// How likely a difference of this size is by chance.
    pub p_value: f64,
    /// The same, corrected for the number of runs that are to be compared.
    pub p_holm: f64,
    /// Whether that is below 0.05.
    pub significant: bool,
}

/// Means over seeds, with standard errors over seeds; a score that a seed lacks is left out.
pub fn over_seeds(seeds: &[Scores]) -> Scores {
    let estimate = |score: fn(&Scores) -> Option<Estimate>| {
        let values: Vec<f64> = seeds.iter().map(|scores| Some(score(scores)?.mean)).collect::<Option<_>>()?;
        Estimate::of(&values)
    };
    Scores {
        nll: estimate(|s| s.nll),
        atom_stability: estimate(|s| s.atom_stability),
        molecule_stability: estimate(|s| s.molecule_stability),
        validity: estimate(|s| s.validity),
        uniqueness: estimate(|s| s.uniqueness),
        valid_unique: estimate(|s| s.valid_unique),
        connected: estimate(|s| s.connected),
    }
}

/// Compares runs with a reference, score by score. Every list of scores is in the order of seeds; nothing is compared over fewer than two, nor where all
/// seeds differ by the same. p-values are corrected for `planned` comparisons, of which some may still be missing.
pub fn seed_tests(reference: (&str, &[Scores]), others: &[(&str, &[Scores])], planned: usize) -> Vec<SeedTest> {
    let (name, theirs) = reference;
    let named: Vec<_> = theirs.iter().map(Scores::named).collect();
    let mut tests = Vec::new();
    for (at, (score, _)) in named.first().into_iter().flatten().enumerate() {
        let mut row: Vec<SeedTest> = others
            .iter()
            .filter_map(|(run, ours)| {
                let pairs = ours.iter().zip(&named).map(|(ours, theirs)| Some(ours.named()[at].1?.mean - theirs[at].1?.mean));
                let differences: Vec<f64> = pairs.collect::<Option<_>>()?;
                let found = (differences.len() > 1 && ours.len() == theirs.len()).then(|| Estimate::of(&differences))?;
                let Estimate { mean, standard_error } = found?;
                // Equal differences other than 0 have no t: scores are shares of few molecules, and such ties are chance.
                let tied = standard_error <= 1e-12 * mean.abs();
                let t = if mean == 0.0 { 0.0 } else { (!tied).then_some(mean / standard_error)? };
                let freedom = differences.len() - 1;
                let p_value = two_sided(t, freedom);
                let half = quantile(freedom) * standard_error;
                Some(SeedTest {
                    run: (*run).to_owned(),
                    reference: name.to_owned(),
                    score,
                    difference: mean,
                    standard_error,
                    interval: [mean - half, mean + half],
                    p_value,
                    p_holm: p_value,
                    significant: false,
                })
            })
            .collect();
        let missing = std::iter::repeat_n(1.0, planned.saturating_sub(row.len()));
        let corrected = holm(&row.iter().map(|test| test.p_value).chain(missing).collect::<Vec<_>>());
        for (test, p_holm) in row.iter_mut().zip(corrected) {
            (test.p_holm, test.significant) = (p_holm, p_holm < LEVEL);
        }
        tests.extend(row);
    }
    tests
}

/// The chance that Student's t is at least this large in size.
///
/// # Source
/// Abramowitz and Stegun, 26.7.3 and 26.7.4.
fn two_sided(t: f64, freedom: usize) -> f64 {
    let angle = if t.is_finite() { (t.abs() / (freedom as f64).sqrt()).atan() } else { FRAC_PI_2 };
    let (sine, cosine) = angle.sin_cos();
    let odd = freedom % 2 == 1;
    let (mut term, mut sum) = (if odd { cosine } else { 1.0 }, 0.0);
    for power in (usize::from(odd)..freedom.saturating_sub(1)).step_by(2) {
        sum += term;
        term *= (power + 1) as f64 / (power + 2) as f64 * cosine * cosine;
    }
    let within = if odd { FRAC_2_PI * (angle + sine * sum) } else { sine * sum };
    (1.0 - within).clamp(0.0, 1.0)
}

/// The size that Student's t exceeds with a chance of [`LEVEL`].
fn quantile(freedom: usize) -> f64 {
    // One degree of freedom has the largest, 12.7.
    let (mut low, mut high) = (0.0, 16.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if two_sided(middle, freedom) > LEVEL { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of printed tables: two-sided 5 % and 1 %.
    #[test]
    fn students_t_is_that_of_the_tables() {
        for (freedom, at_five, at_one) in
            [(1, 12.706, 63.657), (2, 4.303, 9.925), (3, 3.182, 5.841), (4, 2.776, 4.604), (9, 2.262, 3.250), (30, 2.042, 2.750)]
        {
            assert!((two_sided(at_five, freedom) - 0.05).abs() < 5e-5, "{freedom}: {}", two_sided(at_five, freedom));
            assert!((two_sided(-at_one, freedom) - 0.01).abs() < 2e-5, "{freedom}: {}", two_sided(at_one, freedom));
            assert!((quantile(freedom) - at_five).abs() < 1e-3, "{freedom}: {}", quantile(freedom));
        }
        assert_eq!((two_sided(0.0, 2), two_sided(f64::INFINITY, 3)), (1.0, 0.0));
    }

    fn runs(validities: [f64; 3]) -> Vec<Scores> {
        validities.map(|mean| Scores { validity: Some(Estimate { mean, standard_error: 0.01 }), ..Scores::default() }).into()
    }

    #[test]
    fn runs_are_compared_seed_by_seed() {
        let (ours, same, better) = (runs([0.50, 0.60, 0.70]), runs([0.51, 0.58, 0.71]), runs([0.60, 0.701, 0.799]));
        let over = over_seeds(&ours).validity.unwrap();
        assert!((over.mean - 0.6).abs() < 1e-12 && (over.standard_error - 0.1 / 3_f64.sqrt()).abs() < 1e-12);
        assert_eq!(over_seeds(&ours).nll, None);
        let tests = seed_tests(("ours", &ours), &[("same", &same), ("better", &better)], 2);
        assert_eq!(tests.len(), 2, "{tests:?}");
        // The spread over seeds is large, that of the differences small.
        assert!(!tests[0].significant && tests[1].significant, "{tests:?}");
        assert!((tests[1].difference - 0.1).abs() < 1e-12 && (tests[1].p_holm - 2.0 * tests[1].p_value).abs() < 1e-12);
        let half = 4.303 * tests[1].standard_error;
        assert!(tests[1].interval.iter().zip([0.1 - half, 0.1 + half]).all(|(got, want)| (got - want).abs() < 1e-4), "{tests:?}");
        // Comparisons that are still to be made count.
        let early = seed_tests(("ours", &ours), &[("better", &better)], 7);
        assert!((early[0].p_holm - 7.0 * early[0].p_value).abs() < 1e-12);
        assert!(seed_tests(("ours", &ours[..1]), &[("same", &same[..1])], 1).is_empty());
        // All seeds differ by the same: t is not defined, and nothing is claimed.
        let tied = runs([0.25, 0.5, 0.75]);
        assert!(seed_tests(("ours", &tied), &[("shifted", &runs([0.5, 0.75, 1.0]))], 1).is_empty());
        assert!((seed_tests(("ours", &tied), &[("equal", &tied)], 1)[0].p_value - 1.0).abs() < 1e-12);
    }
}
