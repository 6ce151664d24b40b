//! A learned schedule.

use super::Schedule;
use crate::Result;
use candle_core::{DType, Device, Tensor};
use candle_nn::{Init, VarBuilder};

/// A monotone network, rescaled to run from γ₀ to γ₁ (Kingma et al., arXiv 2107.00630): γ̃(t) = l₁(t) + l₃(sigmoid(l₂(l₁(t)))) with positive weights.
///
/// # Shapes
/// Parameters `l1.*` (1 → 1), `l2.*` (1 → 1024), `l3.*` (1024 → 1), `gamma_0` and `gamma_1` `[1]`; weights go through a softplus.
#[derive(Clone, Debug)]
pub struct LearnedSchedule {
    layers: [(Tensor, Tensor); 3],
    ends: [Tensor; 2],
}

impl LearnedSchedule {
    /// Starts from γ₀ = −5 to γ₁ = 10.
    ///
    /// # Errors
    /// When a parameter is missing or has another shape.
    pub fn new(vb: VarBuilder) -> Result<Self> {
        let layer = |name: &str, inputs: usize, outputs: usize| -> Result<(Tensor, Tensor)> {
            let (vb, bound) = (vb.pp(name), 1.0 / (inputs as f64).sqrt());
            let weight = vb.get_with_hints((outputs, inputs), "weight", Init::Uniform { lo: -bound - 2.0, up: bound - 2.0 })?;
            Ok((weight, vb.get_with_hints(outputs, "bias", Init::Uniform { lo: -bound, up: bound })?))
        };
        Ok(Self {
            layers: [layer("l1", 1, 1)?, layer("l2", 1, 1024)?, layer("l3", 1024, 1)?],
            ends: [vb.get_with_hints(1, "gamma_0", Init::Const(-5.0))?, vb.get_with_hints(1, "gamma_1", Init::Const(10.0))?],
        })
    }

    /// γ(t), `[B]` in f64.
    fn gamma(&self, times: &[f64], device: &Device) -> Result<Tensor> {
        let points = [times, &[0.0, 1.0]].concat();
        let raw = self.raw(&Tensor::new(points, device)?.unsqueeze(1)?)?;
        let (inner, low, high) = (raw.narrow(0, 0, times.len())?, raw.narrow(0, times.len(), 1)?, raw.narrow(0, times.len() + 1, 1)?);
        let part = inner.broadcast_sub(&low)?.broadcast_div(&(high - &low)?)?;
        let [start, end] = [wide(&self.ends[0])?, wide(&self.ends[1])?];
        Ok(part.broadcast_mul(&(end - &start)?)?.broadcast_add(&start)?)
    }

    fn raw(&self, t: &Tensor) -> Result<Tensor> {
        let first = positive_linear(t, &self.layers[0])?;
        let hidden = positive_linear(&first, &self.layers[1])?;
        let squashed = (hidden.neg()?.exp()? + 1.0)?.recip()?;
        Ok((first + positive_linear(&squashed, &self.layers[2])?)?.squeeze(1)?)
    }
}

impl Schedule for LearnedSchedule {
    fn log_snr(&self, t: f64) -> f64 {
        self.log_snrs(&[t], self.ends[0].device()).and_then(|value| Ok(value.squeeze(0)?.to_scalar::<f64>()?)).unwrap_or(f64::NAN)
    }

    fn log_snrs(&self, times: &[f64], device: &Device) -> Result<Tensor> {
        Ok(self.gamma(times, device)?.neg()?)
    }
}

fn positive_linear(x: &Tensor, (weight, bias): &(Tensor, Tensor)) -> Result<Tensor> {
    let positive = (wide(weight)?.exp()? + 1.0)?.log()?;
    Ok(x.matmul(&positive.t()?)?.broadcast_add(&wide(bias)?)?)
}

fn wide(parameter: &Tensor) -> Result<Tensor> {
    Ok(parameter.to_dtype(DType::F64)?)
}
