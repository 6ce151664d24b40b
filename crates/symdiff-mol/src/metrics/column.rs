//! What a set's numbers are made of, molecule by molecule, so that intervals and tests can draw molecules anew.

use super::checks::{CHECKS, Checks};
use super::energy::Energy;
use super::interval::{Interval, Resampling};
use super::profile::Profile;
use crate::chemistry::Verdict;
use std::collections::{BTreeMap, HashSet};
use twox_hash::XxHash3_64;

/// All that is known of each molecule of a set; lists are in the order of molecules, or empty where nothing was asked.
#[derive(Debug, Clone, Default)]
pub struct Evaluated {
    /// What the protocol says.
    pub verdicts: Vec<Verdict>,
    /// Which geometry checks it passes.
    pub checks: Vec<Checks>,
    /// Energy and strain, where they could be computed.
    pub energies: Vec<Option<Energy>>,
    /// Features of the distributions.
    pub profile: Profile,
}

/// What one number of a set is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// The share of molecules that have a property.
    Share(Vec<bool>),
    /// Σ a / Σ b over molecules `[a, b]`: a mean where b is 1, and 0 of a molecule that does not count.
    Ratio(Vec<[f64; 2]>),
    /// The share of distinct values; `None` of a molecule that does not count.
    Distinct(Vec<Option<u64>>),
}

impl Evaluated {
    /// The columns of all that is known, by name.
    pub fn columns(&self) -> Vec<(&'static str, Column)> {
        let mut columns: Vec<_> = Column::of_verdicts(&self.verdicts).into();
        for (at, name) in CHECKS.into_iter().enumerate().filter(|_| !self.checks.is_empty()) {
            columns.push((name, Column::Share(self.checks.iter().map(|checks| checks.verdicts()[at]).collect())));
        }
        if self.energies.iter().any(Option::is_some) {
            let strain = |energy: &Option<Energy>| energy.map_or([0.0; 2], |energy| [energy.strain, 1.0]);
            columns.push(("strain", Column::Ratio(self.energies.iter().map(strain).collect())));
        }
        columns
    }
}

impl Column {
    /// What a protocol's numbers are made of.
    pub fn of_verdicts(verdicts: &[Verdict]) -> [(&'static str, Self); 5] {
        let share = |property: fn(&Verdict) -> bool| Self::Share(verdicts.iter().map(property).collect());
        // Valid molecules without SMILES count as one value.
        let smiles = |v: &Verdict| v.valid.then(|| v.smiles.as_ref().map_or(0, |text| XxHash3_64::oneshot(text.as_bytes())));
        [
            ("atom_stability", Self::Ratio(verdicts.iter().map(|v| [v.stable_atoms as f64, v.atoms as f64]).collect())),
            ("molecule_stability", share(|v| v.mol_stable)),
            ("validity", share(|v| v.valid)),
            ("uniqueness", Self::Distinct(verdicts.iter().map(smiles).collect())),
            ("connected", share(|v| v.n_fragments == 1)),
        ]
    }

    /// The numbers of a protocol with their intervals, by name; novelty against the SMILES of a reference.
    pub fn rated(verdicts: &[Verdict], reference: Option<&HashSet<String>>, draw: Resampling) -> BTreeMap<&'static str, Interval> {
        let columns = Self::of_verdicts(verdicts).into_iter();
        let mut rated: BTreeMap<_, _> = columns.filter_map(|(name, column)| Some((name, column.interval(draw)?))).collect();
        let novelty = reference.and_then(|reference| {
            let distinct: HashSet<&String> = verdicts.iter().filter_map(|v| v.smiles.as_ref()).collect();
            Interval::of_share(distinct.iter().filter(|smiles| !reference.contains(**smiles)).count(), distinct.len())
        });
        rated.extend(novelty.map(|novelty| ("novelty", novelty)));
        rated
    }

    /// Number of molecules.
    pub fn molecules(&self) -> usize {
        match self {
            Self::Share(values) => values.len(),
            Self::Ratio(values) => values.len(),
            Self::Distinct(values) => values.len(),
        }
    }

    /// The number of the molecules that are chosen; `None` where none counts.
    pub fn value(&self, chosen: impl Fn(usize) -> bool) -> Option<f64> {
        match self {
            Self::Share(values) => ratio(values.iter().map(|has| [f64::from(u8::from(*has)), 1.0]), |at| f64::from(u8::from(chosen(at)))),
            Self::Ratio(values) => ratio(values.iter().copied(), |at| f64::from(u8::from(chosen(at)))),
            Self::Distinct(values) => {
                let counted: Vec<u64> = values.iter().enumerate().filter(|(at, _)| chosen(*at)).filter_map(|(_, value)| *value).collect();
                let distinct = counted.iter().collect::<HashSet<_>>().len();
                (!counted.is_empty()).then(|| distinct as f64 / counted.len() as f64)
            }
        }
    }

    /// The number with its 95 % interval; `None` where no molecule counts.
    pub fn interval(&self, draw: Resampling) -> Option<Interval> {
        match self {
            Self::Share(values) => Interval::of_share(values.iter().filter(|has| **has).count(), values.len()),
            Self::Ratio(values) => {
                Interval::bootstrap(values.len(), draw, |weights| ratio(values.iter().copied(), |at| f64::from(weights[at])))
            }
            Self::Distinct(values) => {
                let counts = counts(values);
                let single = counts.values().filter(|count| **count == 1).count();
                Interval::of_distinct(counts.len(), single, counts.values().sum())
            }
        }
    }

    /// Σ over both sets' molecules, this one's first.
    pub(super) fn joined(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Share(a), Self::Share(b)) => Some(Self::Share([a.as_slice(), b].concat())),
            (Self::Ratio(a), Self::Ratio(b)) => Some(Self::Ratio([a.as_slice(), b].concat())),
            (Self::Distinct(a), Self::Distinct(b)) => Some(Self::Distinct([a.as_slice(), b].concat())),
            _ => None,
        }
    }

    /// How much each molecule moves the number, up to a common factor.
    pub(super) fn influences(&self) -> Vec<f64> {
        match self {
            Self::Share(values) => values.iter().map(|has| f64::from(u8::from(*has))).collect(),
            Self::Ratio(values) => {
                let mean = ratio(values.iter().copied(), |_| 1.0).unwrap_or(0.0);
                values.iter().map(|[a, b]| a - mean * b).collect()
            }
            Self::Distinct(values) => {
                let counts = counts(values);
                let single = |value: u64| f64::from(u8::from(counts[&value] == 1));
                // Of a molecule that does not count 0, the mean.
                let mean = ratio(values.iter().map(|value| value.map_or([0.0; 2], |value| [single(value), 1.0])), |_| 1.0).unwrap_or(0.0);
                values.iter().map(|value| value.map_or(0.0, |value| single(value) - mean)).collect()
            }
        }
    }
}

fn ratio(values: impl Iterator<Item = [f64; 2]>, weight: impl Fn(usize) -> f64) -> Option<f64> {
    let [part, whole] = values.enumerate().fold([0.0; 2], |[part, whole], (at, [a, b])| [part + weight(at) * a, whole + weight(at) * b]);
    (whole > 0.0).then(|| part / whole)
}

fn counts(values: &[Option<u64>]) -> BTreeMap<u64, usize> {
    let mut counts = BTreeMap::new();
    values.iter().flatten().for_each(|value| *counts.entry(*value).or_default() += 1);
    counts
}
