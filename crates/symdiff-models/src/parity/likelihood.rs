//! `nll`: the estimate of −log p(x, h | n), term by term.

use super::golden::Golden;
use super::{Results, model};
use crate::Result;
use crate::experiment::LossKind;

/// The draws of one estimate: those of a training step, then of the second call at t = 0.
const DRAWS: [&str; 7] = ["in.t_int", "in.eps_raw", "in.haar_gauss", "in.gamma_noise", "in.eps0_raw", "in.haar_gauss0", "in.gamma_noise0"];

pub(super) fn results(golden: &Golden) -> Result<Results> {
    let model = model::load(golden, model::symdiff_in_training(golden, model::PUBLISHED)?, model::diffusion(golden, LossKind::L2))?;
    let estimate = model.likelihood(&golden.clean()?, golden.replay(&DRAWS)?)?;
    Ok(Results::from([
        ("out.nll".into(), estimate.total()?),
        ("out.kl_prior".into(), estimate.prior),
        ("out.loss_t".into(), estimate.diffusion),
        ("out.loss_0".into(), estimate.reconstruction),
        ("out.log_px_constants".into(), estimate.constants),
    ]))
}
