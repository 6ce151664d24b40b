//! The properties that a model is conditioned on, as its training molecules have them.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use symdiff_mol::data::{MoleculeSet, PropertyStatistics};

/// Names, statistics and joint law of size and properties.
///
/// The law is that of the training molecules themselves, so that properties which depend on each other are drawn together. Where some values are given, a molecule counts by
/// the normal density of its values around those, with a width for each property of 1.06·(standard deviation)·M^(−1/5) (Silverman's rule): the histogram's interpolation in as
/// many dimensions as there are properties.
///
/// # Units
/// Those of the properties in the data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Conditions {
    stored: Stored,
    /// Widths by which values are compared.
    widths: Vec<f64>,
}

/// What a checkpoint keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stored {
    names: Vec<String>,
    statistics: Vec<PropertyStatistics>,
    /// Sizes of M molecules.
    atoms: Vec<usize>,
    /// Their values, `[P][M]`.
    values: Vec<Vec<f32>>,
}

/// The most molecules that a checkpoint keeps for the joint law; of a larger training set, evenly spaced ones.
const MOST: usize = 10_000;

impl Conditions {
    /// The named properties of the molecules of `set` at `places`.
    ///
    /// # Errors
    /// When the set has no such property, or there is no molecule.
    pub fn of(set: &MoleculeSet, places: &[usize], names: &[String]) -> Result<Self> {
        let columns = names.iter().map(|name| Ok(set.conditioning(name)?)).collect::<Result<Vec<_>>>()?;
        let of_places = |column: &Vec<f64>| places.iter().map(|&place| column[place]).collect::<Vec<f64>>();
        let columns: Vec<Vec<f64>> = columns.iter().map(of_places).collect();
        let statistics = columns.iter().map(|values| PropertyStatistics::of(values).map_err(|fault| Error::Config(fault.to_string())));
        let statistics = statistics.collect::<Result<Vec<_>>>()?;
        let kept = places.len().min(MOST);
        let rows: Vec<usize> = (0..kept).map(|k| k * places.len() / kept).collect();
        let atoms = rows.iter().map(|&row| set.num_atoms(places[row])).collect();
        let values = columns.iter().map(|column| rows.iter().map(|&row| column[row] as f32).collect()).collect();
        Stored { names: names.to_vec(), statistics, atoms, values }.try_into().map_err(Error::Config)
    }

    /// The same with the statistics of other molecules, those at `places`: published conditional models are normalised by those of the validation part.
    ///
    /// # Errors
    /// As [`Conditions::of`].
    pub fn normalised_by(self, set: &MoleculeSet, places: &[usize]) -> Result<Self> {
        let statistics = Self::of(set, places, self.names())?.stored.statistics;
        Stored { statistics, ..self.stored }.try_into().map_err(Error::Config)
    }

    /// The properties, in the order in which the network is given them.
    pub fn names(&self) -> &[String] {
        &self.stored.names
    }

    /// The place of a property.
    ///
    /// # Errors
    /// [`Error::Request`] that lists the properties of the model.
    pub fn place(&self, name: &str) -> Result<usize> {
        let known = self.names().join(", ");
        let unknown = || Error::Request(format!("this model was not trained on a property `{name}`; it was trained on {known}"));
        self.names().iter().position(|known| known == name).ok_or_else(unknown)
    }

    /// Mean, deviation and range of each property over the training molecules.
    pub fn statistics(&self) -> &[PropertyStatistics] {
        &self.stored.statistics
    }

    /// Values as networks see them: less the mean, over the mean absolute deviation.
    pub fn normalised(&self, values: &[Option<f64>]) -> Vec<Option<f64>> {
        let pairs = self.statistics().iter().zip(values);
        pairs.map(|(statistics, value)| value.map(|value| statistics.normalised(value))).collect()
    }

    /// Whether [`draw`](Self::draw) finds a training molecule of `atoms` atoms.
    pub(crate) fn remembers(&self, atoms: &RangeInclusive<usize>) -> bool {
        self.stored.atoms.iter().any(|size| atoms.contains(size))
    }

    /// The size and all values of a training molecule of `atoms` atoms: of one that has about the values that are given, by the quantile `u` in [0, 1). `None` when no training
    /// molecule has such a size.
    pub fn draw(&self, given: &[Option<f64>], atoms: &RangeInclusive<usize>, u: f64) -> Option<(usize, Vec<f64>)> {
        let Stored { atoms: sizes, values, .. } = &self.stored;
        let distance = |row: usize| -> f64 {
            let parts = given.iter().zip(values).zip(&self.widths);
            parts.filter_map(|((given, column), width)| Some((((*given)? - f64::from(column[row])) / width).powi(2))).sum()
        };
        let rows: Vec<(usize, f64)> = (0..sizes.len()).filter(|&row| atoms.contains(&sizes[row])).map(|row| (row, distance(row))).collect();
        // The nearest molecule has weight 1, so that weights cannot all vanish.
        let nearest = rows.iter().map(|row| row.1).fold(f64::INFINITY, f64::min);
        let weight = |distance: f64| (0.5 * (nearest - distance)).exp();
        let mut left = u.clamp(0.0, 1.0) * rows.iter().map(|row| weight(row.1)).sum::<f64>();
        let found = rows.iter().find(|row| {
            left -= weight(row.1);
            left < 0.0
        });
        let (row, _) = *found.or(rows.last())?;
        Some((sizes[row], values.iter().map(|column| f64::from(column[row])).collect()))
    }

    /// Whether they are of the same molecules.
    pub(crate) fn same_molecules(&self, other: &Self) -> bool {
        let [here, there] = [&self.stored, &other.stored];
        (&here.names, &here.atoms, &here.values) == (&there.names, &there.atoms, &there.values)
    }
}

impl TryFrom<Stored> for Conditions {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let Stored { names, statistics, atoms, values } = &stored;
        let complete = [statistics.len(), values.len()] == [names.len(); 2] && values.iter().all(|column| column.len() == atoms.len());
        if names.is_empty() || atoms.is_empty() || !complete || values.iter().flatten().any(|value| !value.is_finite()) {
            return Err("the properties of the training molecules are not complete; train or import the model again".into());
        }
        let shrink = (atoms.len() as f64).powf(-0.2);
        let width = |statistics: &PropertyStatistics| (1.06 * statistics.standard_deviation * shrink).max(f64::MIN_POSITIVE);
        let widths = statistics.iter().map(width).collect();
        Ok(Self { stored, widths })
    }
}

impl From<Conditions> for Stored {
    fn from(conditions: Conditions) -> Self {
        conditions.stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symdiff_mol::data::embedded;

    fn conditions() -> Result<Conditions> {
        Conditions::of(embedded(), &embedded().split().train, &["gap".into(), "alpha".into()])
    }

    /// The polarisability grows with size: what is drawn for a small one has few atoms, and its gap comes from such molecules.
    #[test]
    fn draws_follow_what_is_given() -> Result<()> {
        let conditions = conditions()?;
        let mean = |given: [Option<f64>; 2], atoms: RangeInclusive<usize>| -> [f64; 3] {
            let draws: Vec<_> = (0..200).filter_map(|k| conditions.draw(&given, &atoms, (f64::from(k) + 0.5) / 200.0)).collect();
            let sums = draws
                .iter()
                .fold([0.0; 3], |[atoms, gap, alpha], (size, values)| [atoms + *size as f64, gap + values[0], alpha + values[1]]);
            sums.map(|sum| sum / draws.len() as f64)
        };
        let statistics = conditions.statistics();
        let [_, gap, alpha] = mean([None, None], 1..=99);
        assert!((gap - statistics[0].mean).abs() < 0.5 && (alpha - statistics[1].mean).abs() < 2.0, "{gap} {alpha}");
        let [atoms, _, alpha] = mean([None, Some(60.0)], 1..=99);
        assert!(atoms < 17.0 && (alpha - 60.0).abs() < 3.0, "{atoms} {alpha}");
        let [atoms, gap, _] = mean([Some(12.0), None], 20..=22);
        assert!((20.0..=22.0).contains(&atoms) && (gap - 12.0).abs() < 1.0, "{atoms} {gap}");
        assert!(conditions.draw(&[None, None], &(500..=600), 0.5).is_none());
        // Far outside the data the nearest molecules remain.
        assert!(conditions.draw(&[Some(1e9), None], &(1..=99), 0.5).is_some());
        Ok(())
    }

    #[test]
    fn what_is_stored_reads_back_and_what_is_not_complete_is_refused() -> Result<()> {
        let conditions = conditions()?;
        let text = serde_json::to_string(&conditions).map_err(|error| Error::Config(error.to_string()))?;
        let back: Conditions = serde_json::from_str(&text).map_err(|error| Error::Config(error.to_string()))?;
        assert!(back.same_molecules(&conditions));
        let broken = text.replacen("\"gap\",", "", 1);
        assert!(broken != text && serde_json::from_str::<Conditions>(&broken).is_err());
        assert!(conditions.place("homo").is_err_and(|error| error.to_string().contains("gap, alpha")));
        Ok(())
    }
}
