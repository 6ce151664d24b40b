//! Runs of one experiment from several seeds as one row, and rows compared seed by seed.

use crate::report::{RunReport, Tests};
use symdiff_models::suite::{Scores, Suite, over_seeds, seed_tests};

/// The results that a report is made of.
pub(super) struct Counted<'a> {
    /// Of each run, in the order of seeds.
    pub(super) runs: Vec<Vec<&'a RunReport>>,
    /// The seeds that they are over, the same for all runs; none where the runs have no seed in common.
    pub(super) seeds: Vec<u64>,
}

/// Of each run the seeds that all runs with a result have finished, so that rows are over the same ones; where they have none in common, what there is.
pub(super) fn counted(runs: &[Vec<RunReport>]) -> Counted<'_> {
    let begun: Vec<&Vec<RunReport>> = runs.iter().filter(|results| !results.is_empty()).collect();
    let everywhere = |seed: &u64| begun.iter().all(|results| results.iter().any(|result| result.seed == *seed));
    let seeds: Vec<u64> =
        begun.first().into_iter().flat_map(|results| results.iter().map(|result| result.seed)).filter(everywhere).collect();
    let counts = |result: &&RunReport| seeds.is_empty() || seeds.contains(&result.seed);
    let runs = runs.iter().map(|results| results.iter().filter(counts).collect()).collect();
    if seeds.is_empty() && !begun.is_empty() {
        tracing::warn!("the runs have no seed in common yet: their rows are over different seeds");
    }
    Counted { runs, seeds }
}

/// Every run beside the suite's reference, or why it is not compared; nothing where the suite names no reference or has one seed.
pub(super) fn tests(suite: &Suite, Counted { runs, seeds }: &Counted) -> Tests {
    let Some(reference) = suite.reference.as_deref().filter(|_| suite.seeds.len() > 1) else { return Tests::default() };
    let scores: Vec<(&str, Vec<Scores>)> = suite
        .runs
        .iter()
        .zip(runs)
        .filter(|(_, results)| !results.is_empty())
        .map(|(run, results)| (run.name.as_str(), results.iter().map(|result| result.scores).collect()))
        .collect();
    let missing = |why: String| Tests { made: Vec::new(), missing: Some(why) };
    let Some((name, theirs)) = scores.iter().find(|(name, _)| *name == reference) else {
        return missing(format!("{reference}, with which the others are to be compared, has no result yet."));
    };
    if seeds.len() < 2 {
        return missing("Nothing is compared yet: the runs have fewer than two seeds in common.".to_owned());
    }
    let others: Vec<(&str, &[Scores])> =
        scores.iter().filter(|(other, _)| other != name).map(|(name, scores)| (*name, scores.as_slice())).collect();
    // Runs that are still to be made count: what is significant over these seeds stays so, whatever they show.
    let made = seed_tests((name, theirs), &others, suite.runs.len() - 1);
    let untold: Vec<&str> =
        suite.runs.iter().map(|run| run.name.as_str()).filter(|run| scores.iter().all(|(name, _)| name != run)).collect();
    let runs = (!untold.is_empty()).then(|| format!("No result yet: {}.", untold.join(", ")));
    let of_seeds = (seeds.len() < suite.seeds.len()).then(|| format!("{} of {} seeds so far.", seeds.len(), suite.seeds.len()));
    let missing: Vec<String> = runs.into_iter().chain(of_seeds).collect();
    Tests { made, missing: (!missing.is_empty()).then(|| missing.join(" ")) }
}

/// The row of a run. Where its steps were chosen to take so many minutes, its validations lie at these: other work on the machine would otherwise look like
/// slow learning. Results of earlier versions do not tell the steps of theirs, which are left out then.
pub(super) fn row(nominal_minutes: Option<f64>, seeds: &[&RunReport]) -> Option<RunReport> {
    let mut row = merged(seeds)?;
    if let Some(minutes) = nominal_minutes {
        let pace = 60.0 * minutes / row.steps.max(1) as f64;
        row.timed = row.validated.iter().zip(&row.timed).map(|(step, (_, loss))| (pace * *step as f64, *loss)).collect();
    }
    Some(row)
}

/// One row of all seeds so far: scores over seeds, costs as means, counts of all; loss, other routes and molecules of the first seed.
fn merged(seeds: &[&RunReport]) -> Option<RunReport> {
    let (first, rest) = seeds.split_first()?;
    let mut all = (*first).clone();
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
