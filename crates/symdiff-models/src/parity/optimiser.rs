//! `adamw_amsgrad_clip_ema`: steps with given gradients, and the limits of queue clipping.

use super::Results;
use super::golden::Golden;
use crate::Result;
use candle_core::{DType, Tensor};
use candle_nn::Init;
use symdiff_train::{Clip, Optimiser, OptimiserSettings, Parameters, Variables};

pub(super) fn results(golden: &Golden) -> Result<Results> {
    let parameters = parameters(golden)?;
    let settings = OptimiserSettings {
        amsgrad: true,
        weight_decay: golden.number("weight_decay", 0.0),
        clip: Clip::Norm(golden.number("clip_norm", 2.0)),
        ema: golden.number("ema_decay", 0.9999),
        ema_warmup: false,
    };
    let mut optimiser = Optimiser::new(&Variables::from(&parameters), settings)?;
    let mut results = Results::from([("out.queue_limit".into(), queue_limits(golden)?)]);
    for step in 0..golden.expected_under("out.norm.").count() {
        // The gradient of Σ p·g is g.
        let mut loss = Tensor::zeros((), DType::F32, golden.device())?;
        for (name, var) in parameters.named() {
            loss = (loss + (var.as_tensor() * golden.tensor(&format!("in.grad.{step}.{name}"))?)?.sum_all()?)?;
        }
        let gradients = optimiser.gradients(loss.backward()?);
        let norm = optimiser.step(&gradients, golden.number("lr", 1e-3), step as u64)?;
        results.insert(format!("out.norm.{step}"), norm.reshape(1)?);
        for (name, tensor) in optimiser.tensors()? {
            if let Some((kind @ ("param" | "ema"), name)) = name.split_once('.') {
                results.insert(format!("out.{kind}.{step}.{name}"), tensor.copy()?);
            }
        }
    }
    Ok(results)
}

/// Variables that start at `in.param.NAME`.
fn parameters(golden: &Golden) -> Result<Parameters> {
    let parameters = Parameters::new(0, DType::F32, golden.device());
    let starts = golden.inputs_under("in.param.");
    for (name, start) in &starts {
        parameters.builder().get_with_hints(start.shape(), name, Init::Const(0.0))?;
    }
    parameters.load(&starts)?;
    Ok(parameters)
}

fn queue_limits(golden: &Golden) -> Result<Tensor> {
    let mut clip = Clip::queue();
    let limits = golden.numbers("in.queue_norm")?.into_iter().map(|norm| Ok(clip.admit(&Tensor::new(norm, golden.device())?)?));
    Ok(Tensor::new(limits.collect::<Result<Vec<f64>>>()?, golden.device())?)
}
