//! `training_loss_*`: the objectives and their parts.

use super::golden::Golden;
use super::{Results, gradients, model};
use crate::experiment::{Diffusion, LossKind, ScheduleKind};
use crate::{Asked, Model, Result};
use candle_core::{DType, Tensor};
use symdiff_diffusion::{At, Eps, Reconstruction, Times};
use symdiff_ops::Euclidean;

pub(super) fn l2(golden: &Golden) -> Result<Results> {
    parts(golden, &symdiff(golden, LossKind::L2)?, &model::DRAWS, true)
}

pub(super) fn vlb(golden: &Golden) -> Result<Results> {
    parts(golden, &symdiff(golden, LossKind::Vlb)?, &model::DRAWS, false)
}

/// EDM with the learned schedule, and the gradients of the schedule's parameters.
pub(super) fn learned(golden: &Golden) -> Result<Results> {
    let config = model::egnn(golden, Some(golden.layout()?.longest()))?;
    let diffusion = Diffusion { schedule: ScheduleKind::Learned, ..model::diffusion(golden, LossKind::Vlb) };
    let model = model::load(golden, config, diffusion)?;
    let mut results = gradients::gradients(golden, &model, &model::DRAWS[..2], "")?;
    results.extend(parts(golden, &model, &model::DRAWS[..2], false)?);
    Ok(results)
}

fn symdiff(golden: &Golden, loss: LossKind) -> Result<Model> {
    model::load(golden, model::symdiff_in_training(golden, model::PUBLISHED)?, model::diffusion(golden, loss))
}

/// The loss of each molecule, and what it is made of. `simple`: errors are divided by the entries of the longest molecule.
pub(super) fn parts(golden: &Golden, model: &Model, draws: &[&str], simple: bool) -> Result<Results> {
    let (clean, whole) = (golden.clean()?, golden.numbers("in.t_int")?);
    let time = Times::PerSample(whole.iter().map(|t| t / model.process.steps() as f64).collect());
    let levels = model.process.levels(&time, whole.len(), golden.device())?;
    let eps = clean.gaussian(golden.replay(&draws[1..2])?)?;
    let z = model.process.diffuse(&clean, &levels, &eps)?;
    let Eps(net) = model.denoiser.sample(&At { state: z.clone(), time, given: Asked::default() }, golden.replay(&draws[2..])?)?;

    let normalisers = if simple { model.reconstruction.entries(&clean, true) } else { vec![1.0; whole.len()] };
    let term_0 = model.reconstruction.log_likelihood(&clean, &z, &eps, &net, &levels, &normalisers)?.neg()?;
    let at_zero: Vec<f64> = whole.iter().map(|&t| f64::from(t == 0.0)).collect();
    let loss = model.loss(&clean, &Asked::default(), golden.replay(draws)?)?.to_dtype(DType::F64)?;
    Ok(Results::from([
        ("out.loss_mean".into(), loss.mean_keepdim(0)?),
        ("out.loss".into(), loss),
        ("out.kl_prior".into(), model.process.prior_kl(&clean)?),
        ("out.z_t".into(), z.joined()?),
        ("out.net".into(), net.joined()?),
        ("out.eps".into(), eps.joined()?),
        ("out.term_0".into(), (term_0 * Tensor::new(at_zero, golden.device())?)?),
    ]))
}
