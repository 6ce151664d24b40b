//! Runs of one experiment from several seeds as one row, and rows compared seed by seed.

use crate::report::RunReport;
use symdiff_models::suite::{Scores, SeedTest, Suite, over_seeds, seed_tests};

/// Of each run the seeds that all runs have finished, so that rows are over the same ones; before the first is finished, what there is.
pub(super) fn counted(runs: &[Vec<RunReport>]) -> Vec<&[RunReport]> {
    let whole = runs.iter().map(Vec::len).min().unwrap_or_default();
    runs.iter().map(|seeds| &seeds[..if whole > 0 { whole } else { seeds.len() }]).collect()
}

/// Every run beside the suite's reference; none where the suite names no reference or has one seed.
pub(super) fn tests(suite: &Suite, runs: &[&[RunReport]]) -> Vec<SeedTest> {
    let scores: Vec<(&str, Vec<Scores>)> =
        suite.runs.iter().zip(runs).map(|(run, seeds)| (run.name.as_str(), seeds.iter().map(|seed| seed.scores).collect())).collect();
    let Some((name, theirs)) = scores.iter().find(|(name, _)| Some(*name) == suite.reference.as_deref()) else { return Vec::new() };
    let others: Vec<(&str, &[Scores])> =
        scores.iter().filter(|(other, _)| other != name).map(|(name, scores)| (*name, scores.as_slice())).collect();
    seed_tests((name, theirs), &others)
}

/// The seeds of [`counted`] runs, where there are several.
pub(super) fn over(suite: &Suite, runs: &[&[RunReport]]) -> Vec<u64> {
    let finished = runs.iter().map(|seeds| seeds.len()).min().unwrap_or_default();
    suite.seeds.iter().copied().take(if finished > 1 { finished } else { 0 }).collect()
}

/// One row of all seeds so far: scores over seeds, costs as means, counts of all; loss, other routes and molecules of the first seed.
pub(super) fn merged(seeds: &[RunReport]) -> Option<RunReport> {
    let (first, rest) = seeds.split_first()?;
    let mut all = first.clone();
    if rest.is_empty() {
        return Some(all);
    }
    all.scores = over_seeds(&seeds.iter().map(|seed| seed.scores).collect::<Vec<_>>());
    for seed in rest {
        all.samples += seed.samples;
        all.train_seconds += seed.train_seconds;
        all.sample_seconds += seed.sample_seconds;
        all.geometry.merge(&seed.geometry);
        // Equal steps are validated in every seed.
        all.timed.truncate(seed.timed.len());
        all.timed.iter_mut().zip(&seed.timed).for_each(|(sum, one)| *sum = (sum.0 + one.0, sum.1 + one.1));
    }
    let mean = 1.0 / seeds.len() as f64;
    all.train_seconds *= mean;
    all.sample_seconds *= mean;
    all.timed.iter_mut().for_each(|(seconds, loss)| (*seconds, *loss) = (*seconds * mean, *loss * mean));
    Some(all)
}
