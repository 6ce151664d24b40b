//! The diffusion process and its objective.

use super::ContinuousLoss;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use symdiff_diffusion::{LinearPath, VarianceExploding};
use symdiff_train::within;

/// The diffusion process and its objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Diffusion {
    /// T, the number of steps.
    pub steps: usize,
    /// How noisy each time is.
    pub schedule: ScheduleKind,
    /// What keeps α² away from 0 and 1 (polynomial schedules alone).
    pub precision: f64,
    /// What the network says of a noisy molecule.
    pub prediction: PredictionKind,
    /// The standard deviation of the data (`residual` alone).
    pub deviation: f64,
    /// What training minimises.
    pub loss: LossKind,
    /// What the error is divided by, but for `vlb`.
    pub normaliser: Normaliser,
    /// Where between data and noise each time lies.
    pub path: PathKind,
    /// The loss at all times (`continuous` alone).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continuous: Option<ContinuousLoss>,
}

/// Where between data and noise each time lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PathKind {
    /// α² + σ² = 1, by the schedule: diffusion.
    #[default]
    VariancePreserving,
    /// α = 1: score models. The network must predict a `residual`, or else it sees noise many times larger than the data.
    VarianceExploding {
        /// σ at the data.
        #[serde(default = "lowest")]
        lowest: f64,
        /// σ at the noise.
        #[serde(default = "highest")]
        highest: f64,
    },
    /// α + σ = 1: flow matching.
    Linear {
        /// How much of the line is left out at either end.
        #[serde(default = "margin")]
        margin: f64,
    },
}

fn lowest() -> f64 {
    0.002
}

fn highest() -> f64 {
    80.0
}

fn margin() -> f64 {
    1e-3
}

/// What the network says of a noisy molecule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictionKind {
    /// The noise, as published.
    #[default]
    Noise,
    /// The clean molecule.
    Data,
    /// The direction of travel.
    Velocity,
    /// The score.
    Score,
    /// What Karras et al. have it say of a molecule scaled to unit variance.
    Residual,
}

/// How noisy each time is. In a file: `polynomial_2`, or another power; `cosine`; `sigmoid`; `learned`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ScheduleKind {
    /// α² = (1 − tᵖ)²; p = 2 is that of EDM and SymDiff.
    Polynomial {
        /// p.
        power: f64,
    },
    /// Nichol and Dhariwal's.
    Cosine,
    /// That of Jabri, Fleet and Chen.
    Sigmoid,
    /// A monotone network, learned with the model.
    Learned,
}

impl Default for ScheduleKind {
    fn default() -> Self {
        Self::Polynomial { power: 2.0 }
    }
}

impl fmt::Display for ScheduleKind {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Polynomial { power } => write!(out, "polynomial_{power}"),
            Self::Cosine => out.write_str("cosine"),
            Self::Sigmoid => out.write_str("sigmoid"),
            Self::Learned => out.write_str("learned"),
        }
    }
}

impl TryFrom<String> for ScheduleKind {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let power = name.strip_prefix("polynomial_").and_then(|power| power.parse::<f64>().ok());
        match (name.as_str(), power) {
            ("cosine", _) => Ok(Self::Cosine),
            ("sigmoid", _) => Ok(Self::Sigmoid),
            ("learned", _) => Ok(Self::Learned),
            (_, Some(power)) if (0.1..=100.0).contains(&power) => Ok(Self::Polynomial { power }),
            _ => Err(format!("`{name}` is no schedule; use polynomial_2 (or another power from 0.1 to 100), cosine, sigmoid or learned")),
        }
    }
}

impl From<ScheduleKind> for String {
    fn from(kind: ScheduleKind) -> Self {
        kind.to_string()
    }
}

/// What training minimises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LossKind {
    /// The mean squared error of the noise, with the reconstruction term at t = 0.
    #[default]
    L2,
    /// The variational bound.
    Vlb,
    /// A squared error at all times of the path, as `[diffusion.continuous]` says.
    Continuous,
}

/// What the `l2` error is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normaliser {
    /// Dimensions of the batch's longest molecule, as published.
    #[default]
    Batch,
    /// Each molecule's own dimensions.
    Sample,
}

impl Default for Diffusion {
    fn default() -> Self {
        Self {
            steps: 1000,
            schedule: ScheduleKind::default(),
            precision: 1e-5,
            prediction: PredictionKind::default(),
            deviation: 1.0,
            loss: LossKind::default(),
            normaliser: Normaliser::default(),
            path: PathKind::default(),
            continuous: None,
        }
    }
}

impl Diffusion {
    /// Refuses numbers outside their range, and a schedule that its loss cannot teach.
    ///
    /// # Errors
    /// [`Error::Config`] with the setting and the remedy.
    pub(super) fn check(&self) -> Result<()> {
        within("diffusion.steps", self.steps as f64, 1.0, 1e5)?;
        within("diffusion.precision", self.precision, f64::MIN_POSITIVE, 0.499)?;
        within("diffusion.deviation", self.deviation, f64::MIN_POSITIVE, 1e6)?;
        let path = match self.path {
            PathKind::VariancePreserving => Ok(()),
            PathKind::VarianceExploding { lowest, highest } => {
                within("diffusion.path.lowest", lowest, 1e-6, 1e6)?;
                within("diffusion.path.highest", highest, 1e-6, 1e6)?;
                VarianceExploding::new(lowest, highest).map(drop)
            }
            PathKind::Linear { margin } => LinearPath::new(margin).map(drop),
        };
        path.map_err(|error| Error::Config(error.to_string()))?;
        let preserving = self.path == PathKind::VariancePreserving;
        let refused = if self.schedule == ScheduleKind::Learned && self.loss == LossKind::L2 {
            "diffusion.schedule is learned, which needs diffusion.loss = \"vlb\": under l2 it has no gradient to learn from"
        } else if self.schedule == ScheduleKind::Learned && (self.loss != LossKind::Vlb || !preserving) {
            "diffusion.schedule is learned, which needs diffusion.loss = \"vlb\" and diffusion.path.kind = \"variance_preserving\""
        } else if matches!(self.path, PathKind::VarianceExploding { .. }) && self.prediction != PredictionKind::Residual {
            "diffusion.path explodes, which needs diffusion.prediction = \"residual\": else the network sees noise many times larger than the data"
        } else if self.continuous.is_some() && self.loss != LossKind::Continuous {
            "[diffusion.continuous] describes a loss that is not trained; set diffusion.loss = \"continuous\", or take the section out"
        } else {
            return self.continuous.unwrap_or_default().check();
        };
        Err(Error::Config(refused.into()))
    }
}
