//! Distances between the distributions of two sets of molecules, with bootstrap intervals.
//!
//! Values with an order (sizes, lengths, angles, torsions): the Wasserstein distance W₁ = ∫ |F − G| in their unit. Categories
//! (elements, bond types): the Jensen–Shannon divergence in bits, JS = H((p+q)/2) − (H(p)+H(q))/2, in [0, 1].
//!
//! Intervals are the 2.5 % and 97.5 % quantiles over sets of molecules drawn with replacement from the sample; the reference
//! stays as it is. Resampling adds noise of its own, so for a sample that is all but perfect the value may lie at or below the
//! interval's lower end.

use super::interval::{Interval, Resampling};
use super::profile::{Kind, Profile};
use serde::Serialize;

/// One kind of feature compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Kind of feature.
    pub feature: &'static str,
    /// `wasserstein` or `jensen_shannon`.
    pub measure: &'static str,
    /// Unit of the value.
    pub unit: &'static str,
    /// Distance of the sample from the reference.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Compares a sample with a reference by every kind of feature; the same seed gives the same intervals. Kinds of which either
/// has none are left out.
///
/// # Cost
/// `replicates` passes over the sample's features, on all threads.
pub fn compare(sample: &Profile, reference: &Profile, replicates: u32, seed: u64) -> Vec<Comparison> {
    Kind::ALL.into_iter().filter_map(|kind| compare_kind(kind, sample, reference, replicates, seed)).collect()
}

fn compare_kind(kind: Kind, sample: &Profile, reference: &Profile, replicates: u32, seed: u64) -> Option<Comparison> {
    let target = shares(&reference.counts(kind, |_| 1))?;
    let measure = |counts: &[u64]| Some(distance(kind, &shares(counts)?, &target));
    let statistic = |weights: &[u32]| measure(&sample.counts(kind, |molecule| weights[molecule]));
    let Interval { value, low, high, .. } = Interval::bootstrap(sample.molecules(), Resampling { replicates, seed }, statistic)?;
    Some(Comparison {
        feature: kind.name(),
        measure: if kind.bins().width.is_some() { "wasserstein" } else { "jensen_shannon" },
        unit: kind.unit(),
        value,
        low,
        high,
    })
}

/// How far apart two relative frequencies of a kind are.
pub(super) fn distance(kind: Kind, p: &[f64], q: &[f64]) -> f64 {
    kind.bins().width.map_or_else(|| jensen_shannon(p, q), |width| wasserstein(p, q, width))
}

/// Relative frequencies; `None` of nothing.
pub(super) fn shares(counts: &[u64]) -> Option<Vec<f64>> {
    let total: u64 = counts.iter().sum();
    (total > 0).then(|| counts.iter().map(|count| *count as f64 / total as f64).collect())
}

/// Σ |F − G|·width over bins.
fn wasserstein(p: &[f64], q: &[f64], width: f64) -> f64 {
    let mut gap = 0.0;
    p.iter()
        .zip(q)
        .map(|(p, q)| {
            gap += p - q;
            f64::abs(gap)
        })
        .sum::<f64>()
        * width
}

/// In bits.
fn jensen_shannon(p: &[f64], q: &[f64]) -> f64 {
    let information = |share: f64| if share > 0.0 { share * share.log2() } else { 0.0 };
    let terms = p.iter().zip(q).map(|(p, q)| 0.5 * (information(*p) + information(*q)) - information(0.5 * (p + q)));
    terms.sum::<f64>().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::embedded;
    use crate::molecule::Molecule;

    fn profile(places: impl Iterator<Item = usize>, stretch: f64) -> Profile {
        let molecules: Vec<_> = places
            .map(|i| {
                let molecule = embedded().molecule(i);
                let x = molecule.positions().iter().map(|row| row.map(|v| v * stretch)).collect();
                Molecule::new("m", molecule.atomic_numbers().to_vec(), x).unwrap()
            })
            .collect();
        let mut profile = Profile::default();
        profile.observe(&molecules);
        profile
    }

    #[test]
    fn closed_forms() {
        assert_eq!(wasserstein(&[1.0, 0.0, 0.0], &[0.0, 0.0, 1.0], 0.5), 1.0);
        assert_eq!(wasserstein(&[0.5, 0.5], &[0.5, 0.5], 2.0), 0.0);
        assert_eq!(jensen_shannon(&[1.0, 0.0], &[0.0, 1.0]), 1.0);
        // p = (1, 0), q = (1/2, 1/2): H(3/4) − 1/2.
        let expected = -(0.75_f64 * 0.75_f64.log2() + 0.25 * 0.25_f64.log2()) - 0.5;
        assert!((jensen_shannon(&[1.0, 0.0], &[0.5, 0.5]) - expected).abs() < 1e-15);
    }

    #[test]
    fn a_set_is_at_no_distance_from_itself_and_stretching_shows_in_lengths_alone() {
        let whole = profile((0..8000).step_by(8), 1.0);
        for comparison in compare(&whole, &whole, 20, 0) {
            assert_eq!(comparison.value, 0.0, "{}", comparison.feature);
            assert!(comparison.low <= comparison.high);
        }
        let stretched = profile((0..8000).step_by(8), 1.01);
        let by_name = |name| compare(&stretched, &whole, 20, 0).into_iter().find(|c| c.feature == name).unwrap();
        let mean_length = 1.2;
        let lengths = by_name("bond_lengths");
        assert!((lengths.value - 0.01 * mean_length).abs() < 0.004, "{lengths:?}");
        assert!(lengths.low < lengths.value && lengths.value < lengths.high, "{lengths:?}");
        assert!(by_name("atom_types").value == 0.0 && by_name("sizes").value == 0.0);
    }

    /// Halves of one distribution differ by less than the interval of a draw allows; small and large molecules do not.
    #[test]
    fn intervals_tell_chance_from_difference() {
        let even = profile((0..8000).step_by(2), 1.0);
        let odd = profile((1..8000).step_by(2), 1.0);
        let size = |sample: &Profile| compare(sample, &even, 100, 1).into_iter().find(|c| c.feature == "sizes").unwrap();
        assert!(size(&odd).value < 0.2 && size(&odd).low < 0.2);
        let small = size(&profile(0..4000, 1.0));
        assert!(small.low > 1.0, "{small:?}");
    }
}
