//! Messages from rows of padding, for checkpoints of an implementation that pads its samples. No such rows exist here; their effect is computed.

use super::Error;
use crate::egnn::message::MessageLayer;
use crate::{Linear, Result};
use candle_core::Tensor;
use symdiff_ops::{Divisor, Pairs, Ragged, linear, silu, spread};

/// Padding rows that send messages, as in the published code of the non-equivariant network: a sample of n nodes has `length` − n of them.
///
/// All padding rows of a sample are alike, so their messages are made once and counted `length` − n times. They start from `features` and
/// are set to zero after the first layer.
#[derive(Clone, Debug)]
pub struct Padding {
    /// The number of rows that every sample is padded to.
    pub length: usize,
    /// The features of a padding row, `[B, F]`.
    pub features: Tensor,
}

/// The padding rows in the course of the network.
pub(super) struct Blank {
    /// What they hold, `[B, D]`.
    rows: Tensor,
    /// Their number over what sums are divided by, `[N, 1]`.
    weight: Tensor,
}

impl Padding {
    pub(super) fn start(&self, embedding: &Linear, pairs: &Pairs) -> Result<Blank> {
        let layout = pairs.layout();
        if layout.longest() > self.length {
            let problem = format!("a sample of {} nodes cannot be padded to {}; give the largest size", layout.longest(), self.length);
            return Err(Error::Config { network: "gnn", problem });
        }
        let rows = embedding.forward(&self.features)?;
        let weight = layout.sizes().map(|n| {
            let divisor = match pairs.divisor() {
                Divisor::Constant(divisor) => divisor,
                Divisor::Nodes => n as f64,
            };
            (self.length - n) as f64 / divisor
        });
        let weight = Tensor::from_vec(weight.collect::<Vec<f64>>(), (layout.len(), 1), rows.device())?.to_dtype(rows.dtype())?;
        Ok(Blank { weight: spread(&weight, layout)?, rows })
    }
}

impl Blank {
    /// What every node receives from the padding of its sample, `[N, D]`.
    pub(super) fn received(&self, layer: &MessageLayer, h: &Tensor, layout: &Ragged) -> Result<Tensor> {
        let (width, [first, second]) = (self.rows.dims()[1], &layer.edge);
        let receivers = linear(h, &first.weight.narrow(1, 0, width)?, Some(&first.bias), first.products)?;
        let senders = linear(&self.rows, &first.weight.narrow(1, width, width)?, None, first.products)?;
        let mut m = silu(&second.forward(&silu(&(receivers + spread(&senders, layout)?)?)?)?)?;
        if let Some(gate) = &layer.gate {
            m = m.broadcast_div(&(gate.forward(&m)?.neg()?.exp()? + 1.0)?)?;
        }
        Ok(m.broadcast_mul(&self.weight)?)
    }

    /// What a mask does to the rows after a layer.
    pub(super) fn masked(&mut self) -> Result<()> {
        self.rows = self.rows.zeros_like()?;
        Ok(())
    }
}
