//! The sizes and switches of an equivariant graph network.

use crate::{Error, PaddedTo, Result};
use serde::{Deserialize, Serialize};
use symdiff_ops::{Divisor, Ragged};

/// Sizes of an [`Egnn`](super::Egnn).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EgnnConfig {
    /// F, channels of the input and of the output.
    pub features: usize,
    /// D, the width of the network.
    pub width: usize,
    /// The number of blocks; each moves the points once.
    pub layers: usize,
    /// Message passing layers per block.
    pub sublayers: usize,
    /// Weighs each message by a learned gate.
    pub attention: bool,
    /// Bounds the step along an edge to ±15 by a tanh.
    pub tanh: bool,
    /// Added to the lengths that differences of points are divided by.
    pub constant: f64,
    /// How messages and steps are summed up.
    pub aggregation: Aggregation,
}

/// How the messages that a node receives are summed up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Aggregation {
    /// The sum, divided by one number.
    Sum {
        /// That number.
        divisor: f64,
    },
    /// The sum, divided by the number of nodes of the sample, itself included.
    Mean {
        /// Divides by the rows of a padded sample instead, as an implementation does that pads its batches.
        #[serde(default)]
        padded: Option<PaddedTo>,
    },
}

impl Aggregation {
    /// What sums over a batch are divided by.
    pub fn divisor(self, layout: &Ragged) -> Divisor {
        match self {
            Self::Sum { divisor } => Divisor::Constant(divisor),
            Self::Mean { padded: Some(padded) } => Divisor::Constant(padded.rows(layout) as f64),
            Self::Mean { padded: None } => Divisor::Nodes,
        }
    }

    /// Refuses a divisor that is not positive.
    pub(crate) fn check(self, network: &'static str) -> Result<()> {
        let divisor = match self {
            Self::Sum { divisor } => divisor,
            Self::Mean { padded: Some(PaddedTo::Rows(rows)) } => rows as f64,
            Self::Mean { .. } => return Ok(()),
        };
        if divisor.is_finite() && divisor > 0.0 {
            return Ok(());
        }
        Err(Error::Config { network, problem: format!("messages are divided by {divisor}, which must be positive") })
    }
}

impl EgnnConfig {
    /// Refuses what cannot be built.
    ///
    /// # Errors
    /// [`Error::Config`] with the size that does not fit.
    pub fn check(&self) -> Result<()> {
        let Self { features, width, layers, sublayers, constant, .. } = *self;
        if [features, width, layers, sublayers].contains(&0) {
            let problem = format!("features {features}, width {width}, layers {layers} and sublayers {sublayers} must be positive");
            return Err(Error::Config { network: "egnn", problem });
        }
        if !(constant.is_finite() && constant >= 0.0) {
            return Err(Error::Config { network: "egnn", problem: format!("constant {constant} must not be negative") });
        }
        self.aggregation.check("egnn")
    }
}
