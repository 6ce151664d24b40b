//! Statistics of a property, by which models normalise what they are conditioned on.

use crate::error::Fault;
use serde::{Deserialize, Serialize};

/// How a property of a set is distributed.
///
/// # Units
/// Those of the property.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PropertyStatistics {
    /// μ = Σ v / M.
    pub mean: f64,
    /// Σ |v − μ| / M.
    pub mean_absolute_deviation: f64,
    /// √(Σ (v − μ)² / M).
    pub standard_deviation: f64,
    /// The least value.
    pub minimum: f64,
    /// The largest value.
    pub maximum: f64,
}

impl PropertyStatistics {
    /// The statistics of these values.
    ///
    /// # Errors
    /// No value, or one that is not finite, named by its place from 1.
    ///
    /// ```
    /// use symdiff_mol::data::PropertyStatistics;
    /// let statistics = PropertyStatistics::of(&[1.0, 1.0, 4.0])?;
    /// assert_eq!((statistics.mean, statistics.mean_absolute_deviation), (2.0, 4.0 / 3.0));
    /// assert_eq!(statistics.normalised(4.0), 1.5);
    /// # Ok::<(), symdiff_mol::Fault>(())
    /// ```
    pub fn of(values: &[f64]) -> Result<Self, Fault> {
        check_finite(values)?;
        let mean_of = |f: &dyn Fn(f64) -> f64| values.iter().map(|value| f(*value)).sum::<f64>() / values.len() as f64;
        let mean = mean_of(&|value| value);
        Ok(Self {
            mean,
            mean_absolute_deviation: mean_of(&|value| (value - mean).abs()),
            standard_deviation: mean_of(&|value| (value - mean).powi(2)).sqrt(),
            minimum: values.iter().copied().fold(f64::INFINITY, f64::min),
            maximum: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }

    /// (v − μ) / MAD, what the published conditional models see of a value; 0 of a property that never varies.
    pub fn normalised(&self, value: f64) -> f64 {
        let scale = self.mean_absolute_deviation;
        if scale > 0.0 { (value - self.mean) / scale } else { 0.0 }
    }

    /// The value of which [`normalised`](Self::normalised) gives this.
    pub fn restored(&self, normalised: f64) -> f64 {
        self.mean + normalised * self.mean_absolute_deviation
    }
}

/// Refuses an empty list and values that are not finite.
pub(super) fn check_finite(values: &[f64]) -> Result<(), Fault> {
    if values.is_empty() {
        return Err(Fault::Empty { what: "the list of a property", unit: "value" });
    }
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let found = format!("{} at place {}", values[at], at + 1);
            Err(Fault::unexpected("a finite value of a property", &found, "complete the property or leave such molecules out"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::embedded;

    #[test]
    fn statistics_of_the_embedded_set_are_those_of_its_description() {
        let of = |name: &str| PropertyStatistics::of(embedded().property(name).unwrap()).unwrap();
        for (name, mean, deviation) in [("gap", 5.70, Some(2.80)), ("mu", 2.24, None), ("alpha", 81.2, Some(13.5))] {
            let found = of(name);
            assert!((found.mean - mean).abs() < 0.05, "{name}: {found:?}");
            assert!(deviation.is_none_or(|deviation| (found.standard_deviation - deviation).abs() < 0.05), "{name}: {found:?}");
            assert!(found.mean_absolute_deviation <= found.standard_deviation);
        }
        assert!(of("gap").minimum < 0.24 && of("gap").maximum > 16.0);
        let gap = of("gap");
        assert!((gap.restored(gap.normalised(7.25)) - 7.25).abs() < 1e-12);
    }

    #[test]
    fn no_nan_passes() {
        assert!(PropertyStatistics::of(&[]).is_err());
        for value in [f64::NAN, f64::INFINITY] {
            let message = PropertyStatistics::of(&[1.0, value]).unwrap_err().to_string();
            assert!(message.contains("at place 2"), "{message}");
        }
        assert_eq!(PropertyStatistics::of(&[2.0, 2.0]).unwrap().normalised(3.0), 0.0);
    }
}
