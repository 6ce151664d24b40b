//! p(N), the distribution of molecule sizes: generators draw N first, likelihoods add log p(N).

use crate::error::Fault;

/// Counts of molecules by their number of atoms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizeHistogram {
    /// `(atoms, molecules)`, by atoms, no zero counts.
    counts: Vec<(usize, u64)>,
    total: u64,
}

impl SizeHistogram {
    /// Counts the given sizes; `None` if there are none.
    ///
    /// ```
    /// let sizes = symdiff_mol::data::SizeHistogram::new([3, 5, 5, 5]).unwrap();
    /// assert_eq!(sizes.log_probability(5), Some(0.75_f64.ln()));
    /// assert_eq!((sizes.quantile(0.24), sizes.quantile(0.26)), (3, 5));
    /// ```
    pub fn new(sizes: impl IntoIterator<Item = usize>) -> Option<Self> {
        let mut sizes: Vec<usize> = sizes.into_iter().collect();
        sizes.sort_unstable();
        let counts: Vec<_> = sizes.chunk_by(PartialEq::eq).map(|run| (run[0], run.len() as u64)).collect();
        (!counts.is_empty()).then_some(Self { counts, total: sizes.len() as u64 })
    }

    /// A histogram of these `(atoms, molecules)`, in any order.
    ///
    /// # Errors
    /// No counts at all, a size twice, a count of zero, a molecule without atoms or of more than 2²⁰, more molecules than 2⁵³.
    ///
    /// ```
    /// use symdiff_mol::data::SizeHistogram;
    /// assert_eq!(SizeHistogram::from_counts([(5, 3), (3, 1)]).unwrap(), SizeHistogram::new([3, 5, 5, 5]).unwrap());
    /// assert!(SizeHistogram::from_counts([(1 << 50, 1)]).is_err());
    /// ```
    pub fn from_counts(counts: impl IntoIterator<Item = (usize, u64)>) -> Result<Self, Fault> {
        const MOST_ATOMS: usize = 1 << 20;
        const MOST_MOLECULES: u64 = 1 << 53;
        let wrong = |expected, found: String| Fault::unexpected(expected, &found, "give the sizes of the molecules that were trained on");
        let mut counts: Vec<(usize, u64)> = counts.into_iter().collect();
        counts.sort_unstable();
        if let Some((atoms, molecules)) = counts.iter().find(|(atoms, molecules)| !(1..=MOST_ATOMS).contains(atoms) || *molecules == 0) {
            return Err(wrong("counts of molecules of 1 to 1048576 atoms", format!("{molecules} molecules of {atoms} atoms")));
        }
        if let Some(pair) = counts.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(wrong("each size once", format!("{} atoms", pair[0].0)));
        }
        let total = counts.iter().try_fold(0_u64, |sum, (_, molecules)| sum.checked_add(*molecules));
        match total.filter(|total| *total <= MOST_MOLECULES) {
            None => Err(wrong("at most 2^53 molecules", "more".to_owned())),
            Some(0) => Err(Fault::Empty { what: "the histogram of sizes", unit: "molecule" }),
            Some(total) => Ok(Self { counts, total }),
        }
    }

    /// `(atoms, molecules)` by ascending atoms.
    pub fn counts(&self) -> &[(usize, u64)] {
        &self.counts
    }

    /// How many molecules were counted.
    pub fn molecules(&self) -> u64 {
        self.total
    }

    /// log p(N) in nats; `None` for a size that never occurs.
    pub fn log_probability(&self, atoms: usize) -> Option<f64> {
        let place = self.counts.binary_search_by_key(&atoms, |(n, _)| *n).ok()?;
        Some((self.counts[place].1 as f64 / self.total as f64).ln())
    }

    /// The size N with F(N−1) ≤ u < F(N), so that a uniform `u` in [0, 1) gives a draw from p(N).
    pub fn quantile(&self, u: f64) -> usize {
        let rank = u.clamp(0.0, 1.0) * self.total as f64;
        let mut below = 0;
        for (atoms, molecules) in &self.counts {
            below += molecules;
            if rank < below as f64 {
                return *atoms;
            }
        }
        self.largest()
    }

    /// The most atoms of any molecule.
    pub fn largest(&self) -> usize {
        self.counts[self.counts.len() - 1].0
    }

    /// Mean number of atoms.
    pub fn mean(&self) -> f64 {
        let atoms: f64 = self.counts.iter().map(|(n, c)| *n as f64 * *c as f64).sum();
        atoms / self.total as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_and_quantiles_follow_them() {
        let sizes = [4, 9, 9, 2, 4, 9, 9, 29];
        let histogram = SizeHistogram::new(sizes).unwrap();
        let p: f64 = histogram.counts().iter().map(|(n, _)| histogram.log_probability(*n).unwrap().exp()).sum();
        assert!((p - 1.0).abs() < 1e-12);
        assert_eq!(histogram.log_probability(3), None);
        let drawn = (0..8).map(|k| histogram.quantile((f64::from(k) + 0.5) / 8.0));
        assert!(drawn.eq([2, 4, 4, 9, 9, 9, 9, 29]));
        assert_eq!((histogram.quantile(0.0), histogram.quantile(1.0)), (2, 29));
        assert_eq!(SizeHistogram::new([]), None);
        for counts in [&[][..], &[(3, 0)], &[(0, 3)], &[(3, 1), (3, 2)], &[(3, u64::MAX), (4, 1)], &[(3, 1 << 60)], &[(1 << 50, 1)]] {
            assert!(SizeHistogram::from_counts(counts.iter().copied()).is_err(), "{counts:?}");
        }
    }
}
