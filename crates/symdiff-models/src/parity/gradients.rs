//! `gradients_*`: the gradient of the mean loss for every parameter.

use super::Results;
use super::golden::Golden;
use super::model::{self, Convention, PUBLISHED};
use crate::experiment::LossKind;
use crate::published::local_name;
use crate::{Asked, Model, Result};
use candle_core::DType;

pub(super) fn symdiff(golden: &Golden) -> Result<Results> {
    let mut results = Results::new();
    for (rows, tag) in [(false, ""), (true, "_rows")] {
        let config = model::symdiff_in_training(golden, Convention { rows, ..PUBLISHED })?;
        let model = model::load(golden, config, model::diffusion(golden, LossKind::L2))?;
        results.extend(gradients(golden, &model, &model::DRAWS, tag)?);
    }
    Ok(results)
}

pub(super) fn egnn(golden: &Golden) -> Result<Results> {
    let config = model::egnn(golden, Some(golden.layout()?.longest()))?;
    gradients(golden, &model::load(golden, config, model::diffusion(golden, LossKind::L2))?, &model::DRAWS[..2], "")
}

/// The loss, `out.loss{tag}`, and its gradients under the published names, `grad{tag}.NAME`.
pub(super) fn gradients(golden: &Golden, model: &Model, draws: &[&str], tag: &str) -> Result<Results> {
    let loss = model.loss(&golden.clean()?, &Asked::default(), golden.replay(draws)?)?;
    let store = loss.mean_all()?.backward()?;
    let variables: std::collections::BTreeMap<_, _> = model.parameters.named().into_iter().collect();
    let prefix = format!("grad{tag}.");
    let mut results = Results::from([(format!("out.loss{tag}"), loss.to_dtype(DType::F64)?.detach())]);
    for name in golden.expected_under(&prefix) {
        let variable = local_name(name).and_then(|name| variables.get(name));
        if let Some(gradient) = variable.and_then(|variable| store.get(variable)) {
            results.insert(format!("{prefix}{name}"), gradient.clone());
        }
    }
    Ok(results)
}
