//! Sizes that graph networks share.

use super::defaults::{one, unit, yes};
use crate::{Asked, Result};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use symdiff_diffusion::At;
use symdiff_mol::state::Molecules;
use symdiff_nets::{Aggregation, PaddedTo};
use symdiff_train::{Precision, within};

/// Sizes of a graph network on atoms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphSizes {
    /// Width of the network.
    pub width: usize,
    /// Blocks; without geometry, message passing layers.
    pub layers: usize,
    /// Message passing layers per block (with geometry).
    #[serde(default = "one")]
    pub sublayers: usize,
    /// Weighs each message by a learned gate.
    #[serde(default = "yes")]
    pub attention: bool,
    /// Bounds the steps of atoms (with geometry).
    #[serde(default = "yes")]
    pub tanh: bool,
    /// Added to the lengths that differences of positions are divided by (with geometry).
    #[serde(default = "unit")]
    pub constant: f64,
    /// What sums over senders are divided by.
    #[serde(default = "unit")]
    pub divisor: f64,
    /// Divides them by the number of atoms instead.
    #[serde(default)]
    pub mean: bool,
}

impl GraphSizes {
    /// How messages are summed up; a mean is taken over `padded` rows where given.
    pub(super) fn aggregation(&self, padded: Option<PaddedTo>) -> Aggregation {
        if self.mean { Aggregation::Mean { padded } } else { Aggregation::Sum { divisor: self.divisor } }
    }

    pub(super) fn check(&self) -> Result<()> {
        let Self { width, layers, sublayers, constant, divisor, .. } = *self;
        for (name, value, high) in [("width", width, 1e5), ("layers", layers, 1e4), ("sublayers", sublayers, 1e3)] {
            within(&format!("model.backbone.{name}"), value as f64, 1.0, high)?;
        }
        within("model.backbone.constant", constant, 0.0, 1e6)?;
        Ok(within("model.backbone.divisor", divisor, f64::MIN_POSITIVE, 1e6)?)
    }
}

/// bf16 is offered on CPUs only, where it rounds the operands of products.
pub(super) fn precisions(device: &Device) -> &'static [Precision] {
    if device.is_cpu() { &[Precision::F32, Precision::Bf16] } else { &[Precision::F32] }
}

/// The times and what is asked, `[B, 1 + 2·P]`, or one row for all; P is the number of properties that the network knows.
pub(super) fn context(at: &At<Molecules, Asked>, conditions: usize) -> Result<Tensor> {
    let positions = at.state.positions();
    let times = at.time.tensor(positions.dtype(), positions.device())?.unsqueeze(1)?;
    if conditions == 0 {
        return Ok(times);
    }
    let asked = at.given.rows(conditions, positions.dtype(), positions.device())?;
    let rows = times.dims()[0].max(asked.dims()[0]);
    let [times, asked] = [&times, &asked].map(|part| part.broadcast_as((rows, part.dims()[1])));
    Ok(Tensor::cat(&[times?, asked?], 1)?)
}
