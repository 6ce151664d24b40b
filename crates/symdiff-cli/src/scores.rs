//! The numbers of a table row, with standard errors over disjoint groups of samples.

use crate::failure::{Failure, Outcome};
use crate::report::{Estimate, RunReport, Scores};
use serde_json::{Value, json};
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::{Protocol, Verdict};
use symdiff_mol::metrics::{Summary, Tally};

/// What the judges said of each molecule.
pub(crate) struct Outcomes(Vec<Verdict>);

impl Outcomes {
    /// Judges molecules, in order.
    pub(crate) fn judge(molecules: &[Molecule], protocol: Protocol) -> Outcome<Self> {
        let judged = molecules.iter().map(|molecule| protocol.judge(molecule));
        judged.collect::<Result<_, _>>().map(Self).map_err(Failure::run)
    }

    /// Means over all molecules; standard errors from `groups` disjoint groups of equal size.
    pub(crate) fn scores(&self, groups: usize) -> Scores {
        let parts: Vec<Summary> = self.0.chunks(self.0.len().div_ceil(groups)).filter_map(summary).collect();
        let estimate = |score: fn(&Summary) -> f64| {
            let values: Vec<f64> = parts.iter().map(score).collect();
            summary(&self.0).map(|all| Estimate { mean: score(&all), standard_error: standard_error(&values) })
        };
        Scores {
            nll: None,
            atom_stability: estimate(|s| s.atom_stability),
            molecule_stability: estimate(|s| s.molecule_stability),
            validity: estimate(|s| s.validity),
            uniqueness: estimate(|s| s.uniqueness),
        }
    }
}

fn summary(verdicts: &[Verdict]) -> Option<Summary> {
    let mut tally = Tally::default();
    for verdict in verdicts {
        tally.observe(verdict);
    }
    tally.summary(None)
}

fn standard_error(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (n - 1.0).max(1.0) / n).sqrt()
}

/// A row of the JSON line.
pub(crate) fn json(run: &RunReport) -> Value {
    let mean = |estimate: Option<Estimate>| estimate.map(|e| e.mean);
    let Scores { nll, atom_stability, molecule_stability, validity, uniqueness } = run.scores;
    json!({
        "name": run.name,
        "atom_stability": mean(atom_stability),
        "atom_stability_error": atom_stability.map(|e| e.standard_error),
        "molecule_stability": mean(molecule_stability),
        "validity": mean(validity),
        "uniqueness": mean(uniqueness),
        "nll": mean(nll),
        "seconds": run.train_seconds + run.sample_seconds,
        "train_seconds": run.train_seconds,
        "sample_seconds": run.sample_seconds,
        "steps": run.steps,
        "parameters": run.parameters,
        "samples": run.samples,
    })
}
