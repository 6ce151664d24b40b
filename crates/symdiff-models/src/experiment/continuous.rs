//! Settings of a loss at continuous times.

use crate::Result;
use serde::{Deserialize, Serialize};
use symdiff_diffusion::{Target, Weight};
use symdiff_train::within;

/// A squared error at random times, for `diffusion.loss = "continuous"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContinuousLoss {
    /// What the error is measured in: `noise`, `data`, `velocity` or `score`.
    #[serde(with = "by_name")]
    pub target: Target,
    /// How noise is paired with data.
    pub coupling: CouplingKind,
    /// How often each time is seen.
    pub times: TimesKind,
    /// How much the error at each time counts.
    pub weight: WeightKind,
}

/// How noise is paired with data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CouplingKind {
    /// Independently.
    #[default]
    Independent,
    /// Each molecule is rotated towards its noise.
    Aligned,
    /// Each molecule's atoms are assigned to those of its noise, and then it is rotated.
    Assigned,
}

/// How often each time is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TimesKind {
    /// All times are equally likely.
    #[default]
    Uniform,
    /// log(t/(1 − t)) is normal.
    LogitNormal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation.
        deviation: f64,
    },
    /// log(σ/α) is normal.
    LogNormal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation.
        deviation: f64,
    },
    /// Times are as likely as their loss is large for normal data; what is minimised stays that of uniform times.
    Importance {
        /// The standard deviation of the data.
        deviation: f64,
    },
}

/// How much the error at each time counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum WeightKind {
    /// Weight 1 for the error of the target.
    #[default]
    Target,
    /// Weight 1 for the error of the noise, as published.
    Noise,
    /// Weight min(SNR, most) for the error of the data.
    MinSnr {
        /// The most.
        most: f64,
    },
    /// Weight sigmoid(bias − log SNR) for the error of the noise.
    Sigmoid {
        /// The bias.
        bias: f64,
    },
    /// Weight 1 for the error of a `residual`, for data of that standard deviation (Karras et al.).
    Karras {
        /// The deviation.
        deviation: f64,
    },
}

impl WeightKind {
    /// The weight.
    pub(crate) fn weight(self) -> Weight {
        match self {
            Self::Target => Weight::Target,
            Self::Noise => Weight::Noise,
            Self::MinSnr { most } => Weight::MinSnr { most },
            Self::Sigmoid { bias } => Weight::Sigmoid { bias },
            Self::Karras { deviation } => Weight::Karras { deviation },
        }
    }
}

impl ContinuousLoss {
    /// Refuses numbers outside their range.
    ///
    /// # Errors
    /// [`crate::Error::Config`] with the setting and the range.
    pub(super) fn check(self) -> Result<()> {
        if let TimesKind::LogitNormal { mean, deviation } | TimesKind::LogNormal { mean, deviation } = self.times {
            within("diffusion.continuous.times.mean", mean, -100.0, 100.0)?;
            within("diffusion.continuous.times.deviation", deviation, 1e-6, 100.0)?;
        }
        if let TimesKind::Importance { deviation } = self.times {
            within("diffusion.continuous.times.deviation", deviation, 1e-6, 1e6)?;
        }
        match self.weight {
            WeightKind::Target | WeightKind::Noise => Ok(()),
            WeightKind::MinSnr { most } => Ok(within("diffusion.continuous.weight.most", most, f64::MIN_POSITIVE, 1e12)?),
            WeightKind::Sigmoid { bias } => Ok(within("diffusion.continuous.weight.bias", bias, -100.0, 100.0)?),
            WeightKind::Karras { deviation } => Ok(within("diffusion.continuous.weight.deviation", deviation, 1e-6, 1e6)?),
        }
    }
}

/// Choices that are written as their names.
mod by_name {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::fmt::Display;
    use std::str::FromStr;

    pub(super) fn serialize<T: Display, S: Serializer>(choice: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(choice)
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
