//! Scores of weights, with all that is needed to compute them anew.

use crate::{Error, Given, Nll, Request, Result, Sampling, Trained};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use symdiff_diffusion::{Framing, Method, Route, Spacing};
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::{Protocol, Verdict};
use symdiff_mol::data::MoleculeSet;
use symdiff_mol::metrics::{Column, Interval, Resampling};

/// By how many standard errors scores may differ: under four, by chance, in fewer than one of 10,000 cases.
const ERRORS: f64 = 4.0;
/// Standard errors from a number to the end of its 95 % interval.
const REACH: f64 = 1.96;

/// How to score.
#[derive(Clone, Debug, PartialEq)]
pub struct Scoring {
    /// The rules that judge samples.
    pub protocol: Protocol,
    /// How samples are drawn.
    pub sampling: Sampling,
    /// Bootstrap replicates of the intervals.
    pub replicates: u32,
    /// Molecules of the test part for the likelihood; 0 for none.
    pub nll_molecules: usize,
}

/// Scores and how they were computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The rules that judged.
    pub protocol: String,
    /// Molecules drawn.
    pub samples: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// The sampler.
    pub sampler: String,
    /// Its grid of times.
    pub grid: String,
    /// Whether frames are drawn at each call or kept.
    pub frames: String,
    /// The churn, of a sampler that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub churn: Option<f64>,
    /// Denoising steps.
    pub steps: usize,
    /// The properties that were asked for, as [`Given`] is written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<String>,
    /// Fractions, with their 95 % intervals over molecules.
    pub scores: BTreeMap<String, Interval>,
    /// Negative log-likelihood of held-out molecules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nll: Option<ScoredNll>,
}

/// A negative log-likelihood, in nats per molecule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoredNll {
    /// Mean over molecules, of one draw each.
    pub mean: f64,
    /// Its standard error over molecules.
    pub standard_error: f64,
    /// Its standard error for these very molecules, which is that of the draws; files of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_error: Option<f64>,
    /// The molecules that it is over, among the first ones of the test part.
    pub molecules: usize,
    /// Others of these that are left out, since the training set has no molecule of their size.
    #[serde(default)]
    pub unseen_sizes: usize,
}

/// A recorded score beside the same computed anew.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Which score.
    pub score: String,
    /// What the file says.
    pub recorded: f64,
    /// What was found.
    pub found: f64,
    /// The standard error of their difference.
    pub standard_error: f64,
    /// Whether the difference is below four of these.
    pub agrees: bool,
}

impl Trained {
    /// Draws molecules and judges them; likelihoods are those of the test part of `set`.
    ///
    /// # Errors
    /// Those of [`Trained::sample`], [`Trained::nll`] and [`Protocol::judge`].
    pub fn scored(&self, scoring: &Scoring, set: &MoleculeSet, progress: &mut dyn FnMut(&str, f64)) -> Result<Scored> {
        let molecules = self.sample(&scoring.sampling, &mut |done| progress("sampling", done))?;
        let judge = |(index, molecule): (usize, &Molecule)| {
            scoring.protocol.judge(molecule).map_err(|fault| Error::from(symdiff_mol::Error::Molecule { index, fault }))
        };
        let verdicts: Vec<Verdict> = molecules.iter().enumerate().map(judge).collect::<Result<_>>()?;
        let Sampling { count, seed, steps, sampler, grid, frames, churn, request, .. } = scoring.sampling.clone();
        let draw = Resampling { replicates: scoring.replicates, seed };
        let rated = Column::rated(&verdicts, None, draw);
        Ok(Scored {
            protocol: scoring.protocol.name().to_owned(),
            samples: count,
            seed,
            sampler: sampler.to_string(),
            grid: grid.to_string(),
            frames: frames.to_string(),
            churn: churn.or(sampler.usual_churn()),
            steps: steps.unwrap_or(self.model.process.steps()),
            given: request.given.iter().map(Given::to_string).collect(),
            scores: rated.into_iter().map(|(name, interval)| (name.to_owned(), interval)).collect(),
            nll: self.scored_nll(scoring, set, progress)?,
        })
    }

    fn scored_nll(&self, scoring: &Scoring, set: &MoleculeSet, progress: &mut dyn FnMut(&str, f64)) -> Result<Option<ScoredNll>> {
        let mut places = self.parts(set).test;
        places.truncate(scoring.nll_molecules);
        if places.is_empty() {
            return Ok(None);
        }
        let known = self.of_seen_sizes(set, &places);
        // Two draws a molecule tell their noise; the mean is that of the first ones, which `nll` draws as well.
        let draws = self.nll_draws(set, &known, 2, 128, scoring.sampling.seed, &mut |done| progress("nll", done))?;
        let totals: Vec<f64> = known.iter().zip(&draws).map(|(&place, draws)| draws[0] + self.size_nll(set, place)).collect();
        let Nll { mean, standard_error, molecules, unseen_sizes } = Nll::of(&totals, places.len() - known.len())?;
        Ok(Some(ScoredNll { mean, standard_error, noise_error: Some(noise_error(&draws)), molecules, unseen_sizes }))
    }
}

impl Scored {
    /// How to compute the same scores from other draws.
    ///
    /// # Errors
    /// When it names a protocol, a sampler, a grid or frames that this program does not know.
    pub fn scoring(&self, seed: u64, replicates: u32) -> Result<Scoring> {
        let sampling = self.sampling(self.samples, seed)?;
        let nll_molecules = self.nll.as_ref().map_or(0, |nll| nll.molecules + nll.unseen_sizes);
        Ok(Scoring { protocol: self.protocol.parse().map_err(Error::from)?, sampling, replicates, nll_molecules })
    }

    /// How its molecules were drawn, for `count` of another seed.
    ///
    /// # Errors
    /// When it names a sampler, a grid or frames that this program does not know, a churn that its sampler cannot have, or asks for no property.
    pub fn sampling(&self, count: usize, seed: u64) -> Result<Sampling> {
        let method = self.sampler.parse::<Method>()?;
        let (spacing, framing) = (self.grid.parse::<Spacing>()?, self.frames.parse::<Framing>()?);
        let route = Route { spacing, framing, churn: self.churn, ..Route::new(method, self.steps) };
        route.check()?;
        let given = self.given.iter().map(|given| given.parse()).collect::<Result<_>>()?;
        Ok(Sampling { request: Request { given, ..Request::default() }, ..Sampling::along(route, count, seed) })
    }

    /// Every score beside that of other draws, which must be as many.
    pub fn beside(&self, found: &Self) -> Vec<Agreement> {
        let rates = self.scores.iter().filter_map(|(name, recorded)| {
            let found = found.scores.get(name)?;
            let [low, high] = recorded.minus(*found, 0.0);
            let difference = recorded.value - found.value;
            // The end of the interval that lies towards no difference.
            let reach = if difference > 0.0 { difference - low } else { high - difference };
            Some(Agreement::of(name, [recorded.value, found.value], reach / REACH))
        });
        let nll = self.nll.as_ref().zip(found.nll.as_ref()).map(|(recorded, found)| recorded.beside(found));
        rates.chain(nll).collect()
    }
}

impl ScoredNll {
    /// The same molecules by other draws. Where a file does not tell the error of its draws, it is that of the others: both are of one law.
    fn beside(&self, found: &Self) -> Agreement {
        let told = self.noise_error.or(found.noise_error).unwrap_or(self.standard_error);
        let error = told.hypot(found.noise_error.unwrap_or(told));
        Agreement::of("nll", [self.mean, found.mean], error)
    }
}

/// The standard error of the mean of one draw a molecule, from two: half the squared difference of two draws is their variance on average.
fn noise_error(draws: &[Vec<f64>]) -> f64 {
    let variance: f64 = draws.iter().map(|draws| 0.5 * (draws[0] - draws[1]).powi(2)).sum();
    variance.sqrt() / draws.len() as f64
}

impl Agreement {
    fn of(score: &str, [recorded, found]: [f64; 2], standard_error: f64) -> Self {
        // Sums in another order differ in their last digits.
        let allowed = ERRORS * standard_error + 1e-9;
        Self { score: score.to_owned(), recorded, found, standard_error, agrees: (recorded - found).abs() <= allowed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(stable: usize, nll: f64) -> Scored {
        let scores = Interval::of_share(stable, 200).map(|share| ("molecule_stability".to_owned(), share));
        Scored {
            protocol: "edm-qm9".into(),
            samples: 200,
            seed: 0,
            sampler: "ancestral".into(),
            grid: "uniform".into(),
            frames: "fresh".into(),
            churn: None,
            steps: 100,
            given: Vec::new(),
            scores: scores.into_iter().collect(),
            nll: Some(ScoredNll { mean: nll, standard_error: 3.0, noise_error: Some(1.0), molecules: 50, unseen_sizes: 2 }),
        }
    }

    /// 100 and 120 of 200 differ by two standard errors, 100 and 150 by five.
    #[test]
    fn scores_agree_within_four_errors() {
        let agrees = |a: &Scored, b: &Scored| a.beside(b).iter().map(|row| row.agrees).collect::<Vec<_>>();
        assert_eq!(agrees(&scored(100, 10.0), &scored(120, 13.0)), [true, true]);
        assert_eq!(agrees(&scored(100, 10.0), &scored(150, 17.0)), [false, false]);
        assert_eq!(agrees(&scored(0, 10.0), &scored(0, 10.0)), [true, true]);
        assert_eq!(agrees(&scored(200, 10.0), &scored(150, 3.0)), [false, false]);
    }

    /// An earlier version told no error of draws: that of the new ones stands for both.
    #[test]
    fn likelihoods_of_the_same_molecules_differ_by_their_draws_alone() {
        let [recorded, found] = [10.0, 13.0].map(|mean| scored(100, mean).nll.unwrap());
        assert!((recorded.beside(&found).standard_error - 2_f64.sqrt()).abs() < 1e-12);
        let earlier = ScoredNll { noise_error: None, ..recorded };
        assert!((earlier.beside(&found).standard_error - 2_f64.sqrt()).abs() < 1e-12);
        // Differences of 2 and −4: variances of 2 and 8, of which the mean of two has a quarter.
        assert!((noise_error(&[vec![1.0, 3.0], vec![5.0, 1.0]]) - (10.0_f64 / 4.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn what_is_recorded_can_be_drawn_again() -> Result<()> {
        let scoring = scored(100, 0.0).scoring(7, 10)?;
        assert_eq!((scoring.sampling.count, scoring.sampling.seed, scoring.sampling.steps), (200, 7, Some(100)));
        assert_eq!(scoring.nll_molecules, 52, "those that were left out stand among the others");
        let churned = Scored { sampler: "stochastic-ddim".into(), churn: Some(8.0), ..scored(100, 0.0) };
        assert_eq!(churned.scoring(7, 10)?.sampling.churn, Some(8.0));
        let asked = Scored { given: vec!["gap=data".into()], ..scored(100, 0.0) };
        assert_eq!(asked.scoring(7, 10)?.sampling.request.given.len(), 1);
        let unknown = Scored { sampler: "guess".into(), ..scored(100, 0.0) };
        assert!(unknown.scoring(7, 10).is_err());
        let impossible = Scored { sampler: "ddim".into(), ..churned };
        assert!(impossible.scoring(7, 10).is_err());
        Ok(())
    }
}
