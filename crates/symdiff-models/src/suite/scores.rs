//! The numbers of a table row, with standard errors over disjoint groups of samples.

use crate::Result;
use serde::{Deserialize, Serialize};
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::{Protocol, Verdict};
use symdiff_mol::metrics::{Summary, Tally};

/// The numbers of a table row. Rates are fractions in \[0, 1\], the likelihood is in nats per molecule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Negative log-likelihood of held-out molecules.
    pub nll: Option<Estimate>,
    /// Atoms with an allowed valence.
    pub atom_stability: Option<Estimate>,
    /// Molecules of stable atoms alone.
    pub molecule_stability: Option<Estimate>,
    /// Molecules that can be sanitised.
    pub validity: Option<Estimate>,
    /// Distinct among valid ones.
    pub uniqueness: Option<Estimate>,
    /// Distinct valid ones among all: validity times uniqueness.
    pub valid_unique: Option<Estimate>,
    /// Molecules in one piece.
    pub connected: Option<Estimate>,
}

impl Scores {
    /// All of them, by name.
    pub fn named(&self) -> [(&'static str, Option<Estimate>); 7] {
        let Self { nll, atom_stability, molecule_stability, validity, uniqueness, valid_unique, connected } = *self;
        [
            ("nll", nll),
            ("atom_stability", atom_stability),
            ("molecule_stability", molecule_stability),
            ("validity", validity),
            ("uniqueness", uniqueness),
            ("valid_unique", valid_unique),
            ("connected", connected),
        ]
    }
}

/// A mean and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl Estimate {
    /// The mean of independent values and its standard error, 0 of a single value; `None` of no value.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (!values.is_empty()).then(|| Self { mean, standard_error: (squares / (n - 1.0).max(1.0) / n).sqrt() })
    }
}

/// The evaluation of each molecule.
#[derive(Clone, Debug)]
pub struct Outcomes(Vec<Verdict>);

impl Outcomes {
    /// Judges molecules, in order.
    ///
    /// # Errors
    /// When the protocol does not know an element, naming the molecule.
    pub fn judge(molecules: &[Molecule], protocol: Protocol) -> Result<Self> {
        let judged = molecules
            .iter()
            .enumerate()
            .map(|(index, molecule)| protocol.judge(molecule).map_err(|fault| symdiff_mol::Error::Molecule { index, fault }));
        Ok(Self(judged.collect::<std::result::Result<_, _>>()?))
    }

    /// Means over all molecules; standard errors from `groups` disjoint groups of equal size. Of no molecule there is no score.
    pub fn scores(&self, groups: usize) -> Scores {
        let parts: Vec<Summary> = self.0.chunks(self.0.len().div_ceil(groups.max(1)).max(1)).filter_map(summary).collect();
        let estimate = |score: fn(&Summary) -> f64| {
            let of_groups = Estimate::of(&parts.iter().map(score).collect::<Vec<_>>())?;
            summary(&self.0).map(|all| Estimate { mean: score(&all), ..of_groups })
        };
        Scores {
            nll: None,
            atom_stability: estimate(|s| s.atom_stability),
            molecule_stability: estimate(|s| s.molecule_stability),
            validity: estimate(|s| s.validity),
            uniqueness: estimate(|s| s.uniqueness),
            valid_unique: estimate(|s| s.validity * s.uniqueness),
            connected: estimate(|s| s.connected),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_no_molecule_there_is_no_score() {
        assert_eq!(Outcomes(Vec::new()).scores(10), Scores::default());
    }
}
