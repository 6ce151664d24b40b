//! p(N, v), the joint distribution of size and property, from which conditional generation draws the sizes and properties of its molecules.
//!
//! The range of the values is divided into bins of one width; molecules are counted by size and bin. Draws of a value are uniform within its
//! bin; the density between the centres of bins, and at a size between those that occur, is interpolated linearly.
//!
//! # Source
//! After the property distributions of EDM (arXiv 2203.17003, section on conditional generation), which divide the range of each size by itself and
//! draw values given sizes alone.

use super::properties::check_finite;
use super::sizes::SizeHistogram;
use crate::error::Fault;
use serde::{Deserialize, Serialize};

/// Counts of molecules by number of atoms and value of a property.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct JointHistogram {
    minimum: f64,
    maximum: f64,
    bins: usize,
    /// `(atoms, counts)` by atoms; `counts` are `(bin, molecules)` by bin, none of them zero.
    rows: Vec<(usize, Vec<(usize, u64)>)>,
    sizes: SizeHistogram,
}

/// What is kept of it.
#[derive(Serialize, Deserialize)]
struct Stored {
    minimum: f64,
    maximum: f64,
    bins: usize,
    rows: Vec<(usize, Vec<(usize, u64)>)>,
}

impl JointHistogram {
    /// Counts molecules of these sizes and values, `[M]` each, in so many bins (EDM has 1,000).
    ///
    /// # Errors
    /// No molecule, lists of different lengths, a value that is not finite, or no bin.
    ///
    /// ```
    /// use symdiff_mol::data::{JointHistogram, embedded};
    /// let sizes: Vec<usize> = embedded().sizes().collect();
    /// let joint = JointHistogram::new(&sizes, embedded().property("gap")?, 100)?;
    /// let (atoms, gap) = joint.draw(0.5, 0.5);
    /// assert!(joint.contains(gap) && joint.density(atoms, gap) > 0.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(sizes: &[usize], values: &[f64], bins: usize) -> Result<Self, Fault> {
        check_finite(values)?;
        if sizes.len() != values.len() {
            return Err(Fault::Length { what: "the list of a property", expected: sizes.len(), found: values.len() });
        }
        let minimum = values.iter().copied().fold(f64::INFINITY, f64::min);
        let maximum = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let width = (maximum - minimum) / bins as f64;
        let bin = |value: f64| if width > 0.0 { (((value - minimum) / width) as usize).min(bins.saturating_sub(1)) } else { 0 };
        let mut placed: Vec<(usize, usize)> = sizes.iter().zip(values).map(|(atoms, value)| (*atoms, bin(*value))).collect();
        placed.sort_unstable();
        let row = |row: &[(usize, usize)]| (row[0].0, row.chunk_by(|a, b| a.1 == b.1).map(|run| (run[0].1, run.len() as u64)).collect());
        let rows = placed.chunk_by(|a, b| a.0 == b.0).map(row).collect();
        Stored { minimum, maximum, bins, rows }.try_into()
    }

    /// p(N).
    pub fn sizes(&self) -> &SizeHistogram {
        &self.sizes
    }

    /// The least and the largest value that was counted.
    pub fn range(&self) -> (f64, f64) {
        (self.minimum, self.maximum)
    }

    /// Whether a value lies in the range; never of NaN.
    pub fn contains(&self, value: f64) -> bool {
        (self.minimum..=self.maximum).contains(&value)
    }

    /// A size and a value for two independent uniform numbers in [0, 1).
    pub fn draw(&self, u: f64, v: f64) -> (usize, f64) {
        let atoms = self.sizes.quantile(u);
        (atoms, self.value(atoms, v))
    }

    /// The value with F(value | N) = u, so that a uniform `u` in [0, 1) gives a draw from p(v | N).
    pub fn value(&self, atoms: usize, u: f64) -> f64 {
        let parts = self.between(atoms);
        let mut below = 0.0;
        let mut merged: Vec<(usize, f64)> =
            parts.iter().flat_map(|(row, weight)| shares(row).map(move |(bin, p)| (bin, weight * p))).collect();
        merged.sort_unstable_by_key(|(bin, _)| *bin);
        let u = u.clamp(0.0, 1.0);
        for &(bin, probability) in &merged {
            if u < below + probability {
                return self.minimum + self.width() * (bin as f64 + (u - below) / probability);
            }
            below += probability;
        }
        let last = merged.last().map_or(0, |(bin, _)| *bin);
        self.minimum + self.width() * (last + 1) as f64
    }

    /// p(v | N), a density in the inverse unit of the property; 0 outside the range. Of a property that never varies, 1 at its value.
    pub fn density(&self, atoms: usize, value: f64) -> f64 {
        if !self.contains(value) {
            return 0.0;
        }
        let scale = if self.width() > 0.0 { self.width() } else { 1.0 };
        self.between(atoms).iter().map(|(row, weight)| weight * self.at(row, value) / total(row) as f64).sum::<f64>() / scale
    }

    /// The size with F(N−1 | v) ≤ u < F(N | v), so that a uniform `u` gives a draw from p(N | v): what sizes molecules of that value have.
    ///
    /// # Errors
    /// A value outside the range, whose message gives the range.
    pub fn size(&self, value: f64, u: f64) -> Result<usize, Fault> {
        if !self.contains(value) {
            let found = format!("{value} (of {} to {})", self.minimum, self.maximum);
            return Err(Fault::unexpected(
                "a value in the range of the data",
                &found,
                "ask for a value of that range, or give the number of atoms",
            ));
        }
        let mut weights: Vec<f64> = self.rows.iter().map(|(_, row)| self.at(row, value)).collect();
        let mut total: f64 = weights.iter().sum();
        if total == 0.0 {
            // A gap in the data: the nearest bin with any molecule decides.
            let position = self.position(value);
            let distance = |bin: usize| (bin as f64 - position).abs();
            let bins = self.rows.iter().flat_map(|(_, row)| row).map(|(bin, _)| *bin);
            let nearest = bins.min_by(|a, b| distance(*a).total_cmp(&distance(*b))).unwrap_or(0);
            weights = self.rows.iter().map(|(_, row)| count(row, nearest) as f64).collect();
            total = weights.iter().sum();
        }
        let mut left = u.clamp(0.0, 1.0) * total;
        for ((atoms, _), weight) in self.rows.iter().zip(&weights) {
            if left < *weight {
                return Ok(*atoms);
            }
            left -= weight;
        }
        let last = weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0);
        Ok(self.rows[last].0)
    }

    fn width(&self) -> f64 {
        (self.maximum - self.minimum) / self.bins as f64
    }

    /// Where a value lies, in bins from the centre of the first.
    fn position(&self, value: f64) -> f64 {
        if self.width() > 0.0 { (value - self.minimum) / self.width() - 0.5 } else { 0.0 }
    }

    /// The count of a row at a value, between the centres of two bins.
    fn at(&self, row: &[(usize, u64)], value: f64) -> f64 {
        let position = self.position(value).clamp(0.0, (self.bins - 1) as f64);
        let (bin, weight) = (position.floor() as usize, position.fract());
        (1.0 - weight) * count(row, bin) as f64 + weight * count(row, bin + 1) as f64
    }

    /// The row of a size, or those of the sizes below and above it, with weights that sum to 1.
    fn between(&self, atoms: usize) -> Vec<(&[(usize, u64)], f64)> {
        let row = |place: usize| self.rows[place].1.as_slice();
        match self.rows.binary_search_by_key(&atoms, |(atoms, _)| *atoms) {
            Ok(place) => vec![(row(place), 1.0)],
            Err(0) => vec![(row(0), 1.0)],
            Err(place) if place == self.rows.len() => vec![(row(place - 1), 1.0)],
            Err(place) => {
                let (low, high) = (self.rows[place - 1].0, self.rows[place].0);
                let weight = (atoms - low) as f64 / (high - low) as f64;
                vec![(row(place - 1), 1.0 - weight), (row(place), weight)]
            }
        }
    }
}

fn count(row: &[(usize, u64)], bin: usize) -> u64 {
    row.binary_search_by_key(&bin, |(bin, _)| *bin).map_or(0, |place| row[place].1)
}

fn total(row: &[(usize, u64)]) -> u64 {
    row.iter().map(|(_, molecules)| molecules).sum()
}

fn shares(row: &[(usize, u64)]) -> impl Iterator<Item = (usize, f64)> + '_ {
    let total = total(row) as f64;
    row.iter().map(move |(bin, molecules)| (*bin, *molecules as f64 / total))
}

impl TryFrom<Stored> for JointHistogram {
    type Error = Fault;

    fn try_from(Stored { minimum, maximum, bins, rows }: Stored) -> Result<Self, Fault> {
        const MOST_BINS: usize = 1 << 20;
        let ordered =
            |row: &[(usize, u64)]| row.windows(2).all(|pair| pair[0].0 < pair[1].0) && row.last().is_some_and(|last| last.0 < bins);
        let sound = (1..=MOST_BINS).contains(&bins)
            && minimum.is_finite()
            && maximum.is_finite()
            && minimum <= maximum
            && (maximum - minimum).is_finite()
            && rows.iter().all(|(_, row)| ordered(row) && row.iter().all(|(_, molecules)| *molecules > 0));
        let totals = rows.iter().map(|(atoms, row)| {
            let sum = row.iter().try_fold(0_u64, |sum, (_, molecules)| sum.checked_add(*molecules));
            (*atoms, sum.unwrap_or(u64::MAX))
        });
        let sizes = SizeHistogram::from_counts(totals)?;
        let ascending = rows.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if !sound || !ascending {
            let found = format!("{bins} bins over {minimum} to {maximum}");
            return Err(Fault::unexpected(
                "bins in order over a finite range, at most 1048576 of them",
                &found,
                "count the molecules again",
            ));
        }
        Ok(Self { minimum, maximum, bins, rows, sizes })
    }
}

impl From<JointHistogram> for Stored {
    fn from(JointHistogram { minimum, maximum, bins, rows, sizes: _ }: JointHistogram) -> Self {
        Self { minimum, maximum, bins, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes 2 and 6; values 0, 1 at size 2 and 3, 4, 4 at size 6; four bins of width 1.
    fn small() -> JointHistogram {
        JointHistogram::new(&[2, 2, 6, 6, 6], &[0.0, 1.0, 3.0, 4.0, 4.0], 4).unwrap()
    }

    #[test]
    fn draws_follow_the_counts() {
        let joint = small();
        assert_eq!((joint.range(), joint.sizes().counts()), ((0.0, 4.0), &[(2, 2), (6, 3)][..]));
        for (atoms, u, value) in [(2, 0.0, 0.0), (2, 0.25, 0.5), (2, 0.5, 1.0), (2, 0.75, 1.5), (6, 0.0, 3.0), (6, 0.5, 3.5), (6, 1.0, 4.0)]
        {
            assert!((joint.value(atoms, u) - value).abs() < 1e-12, "{atoms} {u}: {}", joint.value(atoms, u));
        }
        assert_eq!(joint.draw(0.39, 0.5), (2, 1.0));
        assert_eq!(joint.draw(0.41, 0.5), (6, 3.5));
    }

    #[test]
    fn densities_are_interpolated_and_integrate_to_one() {
        let sizes: Vec<usize> = crate::data::embedded().sizes().collect();
        let joint = JointHistogram::new(&sizes, crate::data::embedded().property("gap").unwrap(), 100).unwrap();
        let (low, high) = joint.range();
        let steps = 20_000;
        let step = (high - low) / f64::from(steps);
        for atoms in [18, 24, 28] {
            let integral: f64 = (0..steps).map(|i| joint.density(atoms, low + (f64::from(i) + 0.5) * step) * step).sum();
            assert!((integral - 1.0).abs() < 0.01, "{atoms}: {integral}");
        }
        // Size 4 lies in the middle of 2 and 6.
        let joint = small();
        assert!((joint.density(4, 0.5) - 0.25).abs() < 1e-12 && (joint.density(2, 0.5) - 0.5).abs() < 1e-12);
        assert!((joint.value(4, 0.75) - 3.5).abs() < 1e-12);
        // Half way between the centres of the bins of 1 and 2, of which the second is empty.
        assert!((joint.density(2, 2.0) - 0.25).abs() < 1e-12);
        assert_eq!((joint.density(2, -0.1), joint.density(2, f64::NAN)), (0.0, 0.0));
    }

    #[test]
    fn sizes_of_a_value_are_those_of_molecules_that_have_it() {
        let joint = small();
        assert_eq!([joint.size(0.2, 0.9), joint.size(3.9, 0.1)], [Ok(2), Ok(6)]);
        // Between 1.5 (one molecule of size 2) and 2.5 (none) all mass is of size 2; at 3 it is the other's.
        assert_eq!(joint.size(2.4, 0.99), Ok(2));
        assert_eq!(joint.size(3.0, 0.5), Ok(6));
        let gap = JointHistogram::new(&[2, 6], &[0.0, 10.0], 10).unwrap();
        assert_eq!([gap.size(3.0, 0.5), gap.size(7.0, 0.5)], [Ok(2), Ok(6)]);
        let message = joint.size(5.0, 0.5).unwrap_err().to_string();
        assert!(message.contains("5 (of 0 to 4)"), "{message}");
        assert!(joint.size(f64::NAN, 0.5).is_err());
    }

    #[test]
    fn what_is_stored_reads_back_and_what_is_unsound_is_refused() {
        let text = serde_json::to_string(&small()).unwrap();
        assert_eq!(serde_json::from_str::<JointHistogram>(&text).unwrap(), small());
        for (from, to) in [("\"bins\":4", "\"bins\":0"), ("\"bins\":4", "\"bins\":2"), ("[0,1]", "[0,0]"), ("[6,", "[1,"), ("4.0", "-1.0")]
        {
            assert!(text.contains(from) && serde_json::from_str::<JointHistogram>(&text.replacen(from, to, 1)).is_err(), "{from} {text}");
        }
        assert!(JointHistogram::new(&[], &[], 4).is_err() && JointHistogram::new(&[2], &[f64::NAN], 4).is_err());
        assert!(JointHistogram::new(&[2], &[1.0], 0).is_err() && JointHistogram::new(&[2, 3], &[1.0], 4).is_err());
        let constant = JointHistogram::new(&[2, 3], &[7.0, 7.0], 4).unwrap();
        assert_eq!((constant.draw(0.0, 0.5), constant.size(7.0, 0.9), constant.density(2, 7.0)), ((2, 7.0), Ok(3), 1.0));
    }
}
