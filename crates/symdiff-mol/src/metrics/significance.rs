//! Whether two sets of molecules differ by more than chance.
//!
//! Under the hypothesis that both come from one law, labels can be exchanged: among all molecules, or, where molecules of the sets belong together in
//! pairs (drawn from the same noise, say), within each pair. p is the share of such exchanges with a difference at least as large in size. Over
//! all numbers p is corrected as by Holm, under which the chance of even one false difference is at most what is asked for.
//!
//! # Source
//! Ernst, Stat. Sci. 19, 676 (2004); Phipson, Smyth, Stat. Appl. Genet. Mol. Biol. 9, 39 (2010), for counting the exchange found.

use super::column::{Column, Evaluated};
use super::compare::{distance, shares};
use super::interval::{Interval, Resampling, below, twister};
use super::profile::{Kind, Profile};
use super::statistics::{LEVEL, correlation, holm};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::HashMap;

/// How molecules of two sets belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Design {
    /// Molecule i of the first set and this one of the second.
    Paired(Vec<usize>),
    /// Not at all.
    Independent,
}

impl Design {
    /// Pairs by name, where both sets have the same names and none twice.
    pub fn of<'a>(first: impl ExactSizeIterator<Item = &'a str>, second: impl ExactSizeIterator<Item = &'a str>) -> Self {
        let molecules = [first.len(), second.len()];
        let places: HashMap<&str, usize> = second.enumerate().map(|(at, name)| (name, at)).collect();
        let partners: Option<Vec<usize>> = first.map(|name| places.get(name).copied()).collect();
        match partners {
            Some(partners) if molecules == [places.len(); 2] && permutes(&partners) => Self::Paired(partners),
            _ => Self::Independent,
        }
    }
}

/// Whether each place occurs once.
fn permutes(places: &[usize]) -> bool {
    let mut seen = vec![false; places.len()];
    places.iter().all(|place| !std::mem::replace(&mut seen[*place], true))
}

/// One number of two sets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Which number.
    pub metric: &'static str,
    /// Of the first set; `None` of a distance between the two.
    pub first: Option<Interval>,
    /// Of the second set.
    pub second: Option<Interval>,
    /// First minus second, or the distance between their distributions.
    pub difference: f64,
    /// Lower end of its 95 % interval, which a distance does not have.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// How likely a difference of this size is by chance.
    pub p_value: f64,
    /// The same, corrected for the number of comparisons.
    pub p_holm: f64,
    /// Whether that is below 0.05.
    pub significant: bool,
}

/// Compares two sets by all numbers that both have. `exchanges` says how many exchanges of labels are drawn, and from which seed.
///
/// # Cost
/// `exchanges.replicates` passes over the features of both sets, on all threads.
pub fn differences(first: &Evaluated, second: &Evaluated, design: &Design, exchanges: Resampling, draw: Resampling) -> Vec<Difference> {
    let sizes = [first.verdicts.len(), second.verdicts.len()];
    let test = Exchange { design, sizes, exchanges };
    let theirs: HashMap<_, _> = second.columns().into_iter().collect();
    let mut found: Vec<Difference> =
        first.columns().iter().filter_map(|(name, ours)| test.of_column(name, [ours, theirs.get(name)?], draw)).collect();
    if sizes == [first.profile.molecules(), second.profile.molecules()] {
        found.extend(Kind::ALL.iter().filter_map(|kind| test.of_distance(*kind, [&first.profile, &second.profile])));
    }
    let corrected = holm(&found.iter().map(|found| found.p_value).collect::<Vec<_>>());
    for (found, p_holm) in found.iter_mut().zip(corrected) {
        (found.p_holm, found.significant) = (p_holm, p_holm < LEVEL);
    }
    found
}

struct Exchange<'a> {
    design: &'a Design,
    sizes: [usize; 2],
    exchanges: Resampling,
}

impl Exchange<'_> {
    fn of_column(&self, metric: &'static str, [ours, theirs]: [&Column; 2], draw: Resampling) -> Option<Difference> {
        let (first, second, all) = (ours.interval(draw)?, theirs.interval(draw)?, ours.joined(theirs)?);
        let statistic = |labels: &[bool]| Some(all.value(|at| labels[at])? - all.value(|at| !labels[at])?);
        let correlation = match self.design {
            Design::Paired(partners) => {
                let (ours, theirs) = (ours.influences(), theirs.influences());
                let pairs: Vec<[f64; 2]> = partners.iter().zip(ours).map(|(partner, ours)| [ours, theirs[*partner]]).collect();
                // A number that no molecule moves has no error to share.
                correlation(&pairs).unwrap_or(0.0)
            }
            Design::Independent => 0.0,
        };
        let [low, high] = first.minus(second, correlation);
        let difference = first.value - second.value;
        Some(Difference {
            metric,
            first: Some(first),
            second: Some(second),
            difference,
            low: Some(low),
            high: Some(high),
            ..Difference::untested(metric, difference, self.p_value(statistic)?)
        })
    }

    fn of_distance(&self, kind: Kind, [ours, theirs]: [&Profile; 2]) -> Option<Difference> {
        let side = |labels: &[bool], of: bool| {
            let own = ours.counts(kind, |at| u32::from(labels[at] == of));
            let other = theirs.counts(kind, |at| u32::from(labels[self.sizes[0] + at] == of));
            shares(&own.iter().zip(&other).map(|(a, b)| a + b).collect::<Vec<_>>())
        };
        let statistic = |labels: &[bool]| Some(distance(kind, &side(labels, true)?, &side(labels, false)?));
        let found = statistic(&self.labels())?;
        Some(Difference::untested(kind.name(), found, self.p_value(statistic)?))
    }

    /// True of the first set's molecules.
    fn labels(&self) -> Vec<bool> {
        (0..self.sizes[0] + self.sizes[1]).map(|at| at < self.sizes[0]).collect()
    }

    fn p_value(&self, statistic: impl Fn(&[bool]) -> Option<f64> + Sync) -> Option<f64> {
        let found = statistic(&self.labels())?.abs();
        // Equal differences are sums in another order.
        let least = found - 1e-12 * found.max(1.0);
        let drawn: Vec<bool> = (0..self.exchanges.replicates)
            .into_par_iter()
            .filter_map(|round| Some(statistic(&self.exchanged(self.exchanges.seed.wrapping_add(u64::from(round))))?.abs() >= least))
            .collect();
        let as_large = drawn.iter().filter(|as_large| **as_large).count();
        Some((1 + as_large) as f64 / (1 + drawn.len()) as f64)
    }

    /// Labels exchanged at random.
    fn exchanged(&self, seed: u64) -> Vec<bool> {
        let mut labels = self.labels();
        let mut twister = twister(seed);
        match self.design {
            Design::Independent => (1..labels.len()).rev().for_each(|at| labels.swap(at, below(&mut twister, at + 1))),
            Design::Paired(partners) => {
                for (at, partner) in partners.iter().enumerate() {
                    labels[at] = below(&mut twister, 2) == 0;
                    labels[self.sizes[0] + partner] = !labels[at];
                }
            }
        }
        labels
    }
}

impl Difference {
    fn untested(metric: &'static str, difference: f64, p_value: f64) -> Self {
        Self { metric, first: None, second: None, difference, low: None, high: None, p_value, p_holm: p_value, significant: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chemistry::Verdict;

    const DRAW: Resampling = Resampling { replicates: 200, seed: 0 };
    const EXCHANGES: Resampling = Resampling { replicates: 2000, seed: 1 };

    fn set(valid: impl Iterator<Item = bool>) -> Evaluated {
        let verdict = |(at, valid): (usize, bool)| Verdict {
            id: at.to_string(),
            atoms: 10,
            stable_atoms: if valid { 10 } else { 8 },
            mol_stable: valid,
            valid,
            smiles: valid.then(|| at.to_string()),
            n_fragments: 1,
        };
        Evaluated { verdicts: valid.enumerate().map(verdict).collect(), ..Evaluated::default() }
    }

    fn by_name(found: &[Difference], metric: &str) -> Difference {
        found.iter().find(|found| found.metric == metric).unwrap().clone()
    }

    /// Where all valid molecules are distinct, none moves the uniqueness, whichever are valid.
    #[test]
    fn uniqueness_has_no_share_in_the_validity_of_pairs() {
        let columns = |set: &Evaluated| set.columns().into_iter().collect::<HashMap<_, _>>();
        let all = columns(&set((0..20).map(|at| at % 3 > 0)));
        assert!(all["uniqueness"].influences().iter().all(|influence| *influence == 0.0));
        // Of three that count, two are equal: the single one moves it by 1 less the mean, the others by minus the mean.
        let some = Column::Distinct(vec![Some(7), None, Some(8), Some(7)]).influences();
        assert!(some.iter().zip([-1.0 / 3.0, 0.0, 2.0 / 3.0, -1.0 / 3.0]).all(|(found, right)| (found - right).abs() < 1e-12), "{some:?}");
    }

    /// Ten of twenty pairs agree in favour of the first set; the exact two-sided probability of ten heads in ten is 2/1024.
    #[test]
    fn pairs_are_compared_by_their_signs() {
        let (first, second) = (set((0..20).map(|_| true)), set((0..20).map(|at| at < 10)));
        let names = |set: &Evaluated| set.verdicts.iter().map(|v| v.id.clone()).collect::<Vec<_>>();
        let (ours, theirs) = (names(&first), names(&second));
        let design = Design::of(ours.iter().map(String::as_str), theirs.iter().map(String::as_str));
        assert_eq!(design, Design::Paired((0..20).collect()));
        let exchanges = Resampling { replicates: 20_000, ..EXCHANGES };
        let found = by_name(&differences(&first, &second, &design, exchanges, DRAW), "validity");
        assert!((found.p_value - 2.0 / 1024.0).abs() < 1e-3, "{found:?}");
        assert_eq!(found.difference, 0.5);
        let mut turned = theirs.clone();
        turned.reverse();
        let design = Design::of(ours.iter().map(String::as_str), turned.iter().map(String::as_str));
        assert_eq!(design, Design::Paired((0..20).rev().collect()));
        assert_eq!(Design::of(["a", "a"].into_iter(), ["a", "a"].into_iter()), Design::Independent);
        assert_eq!(Design::of(["a"].into_iter(), ["a", "b"].into_iter()), Design::Independent);
    }

    /// Fisher's exact test of 9 in 10 against 3 in 10 gives 0.0198, and so does the exchange of labels.
    #[test]
    fn independent_sets_are_compared_by_exchange() {
        let (first, second) = (set((0..10).map(|at| at < 9)), set((0..10).map(|at| at < 3)));
        let exchanges = Resampling { replicates: 50_000, ..EXCHANGES };
        let found = differences(&first, &second, &Design::Independent, exchanges, DRAW);
        let validity = by_name(&found, "validity");
        assert!((validity.p_value - 0.0198).abs() < 0.002, "{validity:?}");
        // Five numbers of which the largest three move together: Holm asks for p below 0.05 / 5.
        assert!(validity.p_holm > 0.05 && !validity.significant && validity.low.unwrap() > 0.0, "{validity:?}");
        assert_eq!(by_name(&found, "connected").p_value, 1.0);
    }

    /// Of 200 pairs of sets from one law, one in twenty has p below 0.05 (at most 21 of 200 with a chance of 10⁻³), under either design.
    #[test]
    fn chance_is_called_chance() {
        let mut twister = twister(5);
        let mut coins = |n: usize| (0..n).map(|_| below(&mut twister, 10) < 7).collect::<Vec<_>>();
        for paired in [false, true] {
            let below_level = (0..200).filter(|round| {
                let (first, second) = (set(coins(60).into_iter()), set(coins(60).into_iter()));
                let design = if paired { Design::Paired((0..60).collect()) } else { Design::Independent };
                let exchanges = Resampling { replicates: 300, seed: round * 1000 };
                by_name(&differences(&first, &second, &design, exchanges, DRAW), "validity").p_value < 0.05
            });
            let count = below_level.count();
            assert!((1..=21).contains(&count), "{count} of 200, paired: {paired}");
        }
    }

    #[test]
    fn distributions_differ_where_molecules_do() {
        let profile = |places: std::ops::Range<usize>| {
            let molecules: Vec<_> = places.step_by(40).map(|at| crate::data::embedded().molecule(at)).collect();
            let mut found = set(molecules.iter().map(|_| true));
            found.profile.observe(&molecules);
            found
        };
        let (small, large) = (profile(0..4000), profile(4000..8000));
        let found = differences(&small, &large, &Design::Independent, Resampling { replicates: 500, seed: 3 }, DRAW);
        assert!(by_name(&found, "sizes").significant, "{found:?}");
        assert_eq!(by_name(&differences(&small, &small, &Design::Independent, EXCHANGES, DRAW), "sizes").p_value, 1.0);
    }
}
