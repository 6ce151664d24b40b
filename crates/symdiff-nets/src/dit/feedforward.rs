//! The feed-forward branch of a block, forward and backward.

use super::branch::BranchGradients;
use super::config::{DitConfig, MlpType};
use crate::{Linear, Result, Start};
use candle_core::{Tensor, Var};
use candle_nn::VarBuilder;
use symdiff_ops::ada_layer_norm::Columns;
use symdiff_ops::linear::Weight;
use symdiff_ops::{Noise, Ragged, Samples, ada_layer_norm, gated_residual, gelu, swiglu};

/// x + gate·fc2(unit(fc1(norm(x)·(1 + scale) + shift))), with (shift, scale, gate) in columns 3D, 4D, 5D of the modulation.
#[derive(Clone, Debug)]
pub(super) struct Feedforward {
    fc1: Linear,
    fc2: Linear,
    width: usize,
    unit: MlpType,
}

/// What the backward pass needs beside the input; the unit's output and the normalised input are computed again.
pub(super) struct Saved {
    modulation: Tensor,
    /// The output of fc1.
    inner: Tensor,
    y: Tensor,
    layout: Ragged,
}

impl Feedforward {
    /// Of fresh variables, the value half of a SwiGLU's fc1 starts from `noise`; parameters that exist, and constants, are left as they are.
    pub(super) fn new(config: &DitConfig, noise: Noise, vb: VarBuilder) -> Result<Self> {
        let (width, unit, start) = (config.hidden, config.mlp_type, Start::Xavier { gain: 1.0 });
        let hidden = width * config.ratio;
        let of_fc1 = vb.pp("fc1");
        let fresh = !of_fc1.contains_tensor("weight");
        let fc1 = Linear::new(width, hidden, start, of_fc1)?;
        let units = match unit {
            MlpType::Swiglu => hidden / 2,
            MlpType::Mlp => hidden,
        };
        if unit == MlpType::Swiglu && fresh && fc1.weight.is_variable() {
            start_as_silu(&fc1, noise)?;
        }
        Ok(Self { fc1, fc2: Linear::new(units, width, start, vb.pp("fc2"))?, width, unit })
    }

    pub(super) fn weights(&self) -> [&Tensor; 4] {
        [&self.fc1.weight, &self.fc1.bias, &self.fc2.weight, &self.fc2.bias]
    }

    /// The same branch on other tensors, in the order of [`Feedforward::weights`].
    pub(super) fn with(&self, weights: &[Tensor]) -> Self {
        Self { fc1: Linear::of(&weights[..2]), fc2: Linear::of(&weights[2..]), ..*self }
    }

    fn norm(&self) -> Columns {
        Columns { shift: 3 * self.width, scale: 4 * self.width }
    }

    /// The weights of fc1 and fc2.
    pub(super) fn maps(&self) -> [&Tensor; 2] {
        [&self.fc1.weight, &self.fc2.weight]
    }

    /// The branch without a graph, with the weights of its [maps](Self::maps) laid out for this direction.
    pub(super) fn forward(
        &self,
        [fc1, fc2]: [&Weight; 2],
        x: &Tensor,
        modulation: &Tensor,
        layout: &Ragged,
    ) -> symdiff_ops::Result<(Tensor, Saved)> {
        let normed = ada_layer_norm::forward(x, modulation, self.norm(), layout)?;
        let inner = fc1.times(&normed, Some(&self.fc1.bias))?;
        drop(normed);
        let units = match self.unit {
            MlpType::Swiglu => swiglu::forward(&inner)?,
            MlpType::Mlp => gelu::forward(&inner)?,
        };
        let y = fc2.times(&units, Some(&self.fc2.bias))?;
        let output = gated_residual::forward(x, &y, modulation, 5 * self.width, layout)?;
        let (modulation, layout) = (modulation.clone(), layout.clone());
        Ok((output, Saved { modulation, inner, y, layout }))
    }

    /// The backward pass of [`Feedforward::forward`] on x, with the weights laid out for this direction.
    pub(super) fn backward(
        &self,
        [fc1, fc2]: [&Weight; 2],
        saved: Saved,
        x: &Tensor,
        gradient: &Tensor,
    ) -> symdiff_ops::Result<BranchGradients> {
        let Saved { modulation, inner, y, layout } = saved;
        let (d_y, d_gate) = gated_residual::backward(&y, &modulation, 5 * self.width, gradient, &layout)?;
        drop(y);
        let d_units = fc2.times(&d_y, None)?;
        let [units, d_inner] = match self.unit {
            MlpType::Swiglu => swiglu::replayed(&inner, &d_units)?,
            MlpType::Mlp => gelu::replayed(&inner, &d_units)?,
        };
        drop((inner, d_units));
        let normed = ada_layer_norm::forward(x, &modulation, self.norm(), &layout)?;
        let d_normed = fc1.times(&d_inner, None)?;
        let (d_x, d_norm) = ada_layer_norm::backward(x, &modulation, self.norm(), &d_normed, Some(gradient), &layout)?;
        Ok(BranchGradients { x: d_x, modulation: [d_norm, d_gate], maps: [[normed, d_inner], [units, d_y]] })
    }
}

/// The published start of the packed layer: weights of the value half of standard deviation 1e-6 and its bias 1, so that the unit begins as a
/// plain SiLU.
fn start_as_silu(fc1: &Linear, noise: Noise) -> Result<()> {
    let (rows, columns) = fc1.weight.dims2()?;
    let (dtype, device) = (fc1.weight.dtype(), fc1.weight.device());
    let values = (noise.normal(&Samples::numbered(rows / 2), &[columns], dtype, device)? * 1e-6)?;
    for (parameter, tail) in [(&fc1.weight, values), (&fc1.bias, Tensor::ones(rows / 2, dtype, device)?)] {
        let head = parameter.detach().narrow(0, 0, rows / 2)?;
        Var::from_tensor(parameter)?.set(&Tensor::cat(&[head, tail], 0)?)?;
    }
    Ok(())
}
