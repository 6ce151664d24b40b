//! What the sizes of molecules predict of a property, without any network.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use symdiff_mol::data::{MoleculeSet, PropertyStatistics};

/// Statistics of a property over training molecules, and its mean over those of each size: EDM's `#Atoms`, the prediction from the number of atoms alone.
///
/// # Units
/// Those of the property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Over all of them.
    pub statistics: PropertyStatistics,
    /// Sizes in order, with their means.
    by_size: Vec<(usize, f64)>,
}

impl Baseline {
    /// The baseline of the molecules of `set` at `places`, and the property of all molecules of the set.
    ///
    /// # Errors
    /// When the set has no such property, or it is the same for all of these molecules: there is nothing to learn.
    pub fn of(set: &MoleculeSet, places: &[usize], name: &str) -> Result<(Self, Vec<f64>)> {
        let all = set.conditioning(name)?;
        let values: Vec<f64> = places.iter().map(|&place| all[place]).collect();
        let statistics = PropertyStatistics::of(&values).map_err(|fault| Error::Config(format!("property.name is {name}: {fault}")))?;
        if statistics.mean_absolute_deviation == 0.0 {
            let value = statistics.mean;
            return Err(Error::Config(format!(
                "property.name is {name}, which is {value} for all training molecules; name one that varies"
            )));
        }
        let mut sized: Vec<(usize, f64)> = places.iter().zip(values).map(|(&place, value)| (set.num_atoms(place), value)).collect();
        sized.sort_by_key(|(atoms, _)| *atoms);
        let mean = |rows: &[(usize, f64)]| (rows[0].0, rows.iter().map(|row| row.1).sum::<f64>() / rows.len() as f64);
        let by_size = sized.chunk_by(|a, b| a.0 == b.0).map(mean).collect();
        Ok((Self { statistics, by_size }, all))
    }

    /// The mean over training molecules of so many atoms; that of all where none has so many.
    pub fn value(&self, atoms: usize) -> f64 {
        let place = self.by_size.binary_search_by_key(&atoms, |(size, _)| *size);
        place.map_or(self.statistics.mean, |place| self.by_size[place].1)
    }

    /// Whether it is of the same molecules. Reading numbers back from a checkpoint may change their last bit.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * self.statistics.mean_absolute_deviation;
        let [here, there] = [self, other];
        here.by_size.len() == there.by_size.len()
            && here.by_size.iter().zip(&there.by_size).all(|(a, b)| a.0 == b.0 && close(a.1, b.1))
            && close(here.statistics.mean, there.statistics.mean)
            && close(here.statistics.mean_absolute_deviation, there.statistics.mean_absolute_deviation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hydrogen chains of two, two, three and four atoms.
    fn set(values: [f64; 4]) -> Result<MoleculeSet> {
        let positions = (0..11).map(|k| [k as f32, 0.0, 0.0]).collect();
        let set = MoleculeSet::from_packed([2, 2, 3, 4], vec![1; 11], positions, None)?;
        Ok(set.with_properties([("gap".to_owned(), values.to_vec())].into())?)
    }

    #[test]
    fn the_number_of_atoms_predicts_the_mean_of_its_size() -> Result<()> {
        let (baseline, all) = Baseline::of(&set([1.0, 3.0, 7.0, 9.0])?, &[0, 1, 2], "gap")?;
        assert_eq!(all.len(), 4);
        assert_eq!([2, 3].map(|atoms| baseline.value(atoms).to_bits()), [2.0_f64, 7.0].map(f64::to_bits));
        // The fourth molecule does not train: the mean of all three, 11 / 3.
        assert!((baseline.value(4) - 11.0 / 3.0).abs() < 1e-12);
        let (other, _) = Baseline::of(&set([1.0, 3.0, 7.1, 9.0])?, &[0, 1, 2], "gap")?;
        let text = serde_json::to_string(&baseline).map_err(|error| Error::Config(error.to_string()))?;
        let back: Baseline = serde_json::from_str(&text).map_err(|error| Error::Config(error.to_string()))?;
        assert!(baseline.agrees(&back) && !baseline.agrees(&other));
        Ok(())
    }

    #[test]
    fn a_property_that_does_not_vary_is_refused() -> Result<()> {
        let told =
            Baseline::of(&set([2.0, 2.0, 2.0, 9.0])?, &[0, 1, 2], "gap").map_err(|error| error.to_string()).err().unwrap_or_default();
        assert!(told.contains("gap") && told.contains("name one that varies"), "{told}");
        assert!(Baseline::of(&set([1.0; 4])?, &[], "gap").is_err());
        Ok(())
    }
}
