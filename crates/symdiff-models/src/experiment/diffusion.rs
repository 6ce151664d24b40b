//! The diffusion process and its objective.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use symdiff_train::within;

/// The diffusion process and its objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Diffusion {
    /// T, the number of steps.
    pub steps: usize,
    /// How noisy each time is.
    pub schedule: ScheduleKind,
    /// What keeps α² away from 0 and 1 (`polynomial_2` alone).
    pub precision: f64,
    /// What training minimises.
    pub loss: LossKind,
    /// What the `l2` error is divided by.
    pub normaliser: Normaliser,
}

/// How noisy each time is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// α² = (1 − t²)², that of EDM and SymDiff.
    #[default]
    #[serde(rename = "polynomial_2")]
    Polynomial2,
    /// Nichol and Dhariwal's.
    Cosine,
    /// A monotone network, learned with the model.
    Learned,
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
        let (schedule, loss, normaliser) = (ScheduleKind::default(), LossKind::default(), Normaliser::default());
        Self { steps: 1000, schedule, precision: 1e-5, loss, normaliser }
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
        if self.schedule == ScheduleKind::Learned && self.loss == LossKind::L2 {
            return Err(Error::Config(
                "diffusion.schedule is learned, which needs diffusion.loss = \"vlb\": under l2 it has no gradient to learn from".into(),
            ));
        }
        Ok(())
    }
}
