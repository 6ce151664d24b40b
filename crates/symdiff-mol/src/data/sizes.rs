//! p(N), the distribution of molecule sizes: generators draw N first, likelihoods add log p(N).

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

    /// The histogram with these `(atoms, molecules)`, as [`counts`](Self::counts) gives them; `None` when they are none, not ascending, hold a zero,
    /// or a size or a sum that no data set has.
    pub fn from_counts(counts: Vec<(usize, u64)>) -> Option<Self> {
        const LARGEST: usize = 1 << 24;
        let sound = counts.iter().all(|&(atoms, molecules)| (1..=LARGEST).contains(&atoms) && molecules > 0);
        let total = counts.iter().try_fold(0_u64, |total, (_, molecules)| total.checked_add(*molecules)).filter(|&total| total > 0)?;
        (sound && counts.is_sorted_by(|a, b| a.0 < b.0)).then_some(Self { counts, total })
    }

    /// `(atoms, molecules)` by ascending atoms.
    pub fn counts(&self) -> &[(usize, u64)] {
        &self.counts
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
    }
}
