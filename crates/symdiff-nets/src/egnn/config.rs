//! The sizes and switches of an equivariant graph network.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use symdiff_ops::Divisor;

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
        /// Divides by this number of nodes instead, as an implementation does that pads its samples to it.
        #[serde(default)]
        padded: Option<usize>,
    },
}

impl Aggregation {
    /// What sums are divided by.
    pub fn divisor(self) -> Divisor {
        match self {
            Self::Sum { divisor } => Divisor::Constant(divisor),
            Self::Mean { padded: Some(length) } => Divisor::Constant(length as f64),
            Self::Mean { padded: None } => Divisor::Nodes,
        }
    }

    /// Refuses a divisor that is not positive.
    pub(crate) fn check(self, network: &'static str) -> Result<()> {
        match self.divisor() {
            Divisor::Constant(divisor) if !(divisor.is_finite() && divisor > 0.0) => {
                Err(Error::Config { network, problem: format!("messages are divided by {divisor}, which must be positive") })
            }
            _ => Ok(()),
        }
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
