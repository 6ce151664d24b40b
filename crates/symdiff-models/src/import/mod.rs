//! Checkpoints of the published implementation, made checkpoints of this one.
//!
//! A state dict holds weights alone. The experiment around them is the named preset under the published conventions: the product f·g₀⁻¹, and the
//! padding that its samplers count.

mod pickle;
mod state_dict;

use crate::experiment::{Data, Diffusion, Elements, Experiment, LossKind, ScheduleKind};
use crate::models::{Backbone, Gamma, ModelConfig};
use crate::{Error, Model, Result, published};
use candle_core::{DType, Device, Tensor};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use symdiff_mol::data::{MoleculeSet, SizeHistogram};
use symdiff_ops::Noise;
use symdiff_train::checkpoint::{self, Header};
use symdiff_train::{Record, Settings};

/// What an import made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Tensors of the model.
    pub tensors: usize,
    /// Their numbers.
    pub parameters: usize,
    /// The lengths to which the published samplers pad, where the model depends on it.
    pub padding: Option<usize>,
}

/// Reads a state dict (PyTorch's zip pickle or safetensors) of the model of that name, and writes a checkpoint to sample from and to judge. Sizes of
/// samples are drawn as they occur in `sizes`.
///
/// # Errors
/// [`Error::Checkpoint`] naming the first entry that is missing, unexpected, of another shape, not finite, or no plain tensor.
pub fn import(from: &Path, model: &str, sizes: &MoleculeSet, out: &Path) -> Result<Imported> {
    let raw = state_dict::read(from)?;
    let experiment = experiment(model, raw.keys().any(|name| name.ends_with("gamma.gamma_0")))?;
    let expected = Model::fresh(&experiment, 0, Noise::seeded(0), &Device::Cpu)?;
    check_schedule(from, &raw, &expected)?;
    let weights = published::localised(raw);
    check(from, model, &weights, &expected)?;

    let histogram = SizeHistogram::new(sizes.sizes()).ok_or_else(|| Error::Config("the set of sizes holds no molecule".into()))?;
    let record = Record { description: experiment.to_toml()?, facts: json!({"sizes": histogram.counts()}) };
    let header = Header::new(0, 0.0, 0, Vec::new(), record);
    let tensors = weights.iter().map(|(name, tensor)| Ok((format!("ema.{name}"), tensor.to_dtype(DType::F32)?)));
    checkpoint::save(out, &header, &tensors.collect::<Result<Vec<_>>>()?)?;
    let parameters = weights.values().map(Tensor::elem_count).sum();
    Ok(Imported { tensors: weights.len(), parameters, padding: experiment.model.padding_compat })
}

/// The published runs: what a state dict of that model was trained with.
fn experiment(name: &str, learned: bool) -> Result<Experiment> {
    let mut model = ModelConfig::preset(name)?;
    let geom = name.ends_with("geom");
    if let Gamma::Learned(gamma) = &mut model.gamma {
        gamma.released = true;
    }
    if !matches!(model.backbone, Backbone::Egnn(_)) {
        model.padding_compat = Some(if geom { 181 } else { 29 });
    }
    let data = Data { vocabulary: if geom { Elements::Geom } else { Elements::Qm9 }, ..Data::default() };
    let published = Diffusion::default();
    let diffusion = if learned { Diffusion { schedule: ScheduleKind::Learned, loss: LossKind::Vlb, ..published } } else { published };
    Ok(Experiment { data, model, diffusion, train: Settings { epochs: 1, ..Settings::default() } })
}

/// A fixed schedule is stored as a table: it must be the one that the experiment will use.
fn check_schedule(from: &Path, raw: &BTreeMap<String, Tensor>, model: &Model) -> Result<()> {
    let Some(table) = raw.iter().find_map(|(name, table)| name.ends_with("gamma.gamma").then_some(table)) else { return Ok(()) };
    let table = table.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let steps = model.process.steps();
    let here = |k: usize| -model.process.path().log_snr(k as f64 / steps as f64);
    let off = table.iter().enumerate().map(|(k, gamma)| (gamma - here(k)).abs()).fold(0.0, f64::max);
    if table.len() == steps + 1 && off < 1e-3 {
        return Ok(());
    }
    let problem = format!("`gamma.gamma` ({} levels) is no polynomial_2 schedule of {steps} steps: off by {off:.1e}", table.len());
    Err(Error::file(from, problem))
}

/// Names, shapes and finiteness; the first offence of each kind is named, the others are counted.
fn check(from: &Path, name: &str, weights: &BTreeMap<String, Tensor>, model: &Model) -> Result<()> {
    let expected: BTreeMap<String, Tensor> =
        model.parameters.named().into_iter().map(|(name, var)| (name, var.as_tensor().clone())).collect();
    let missing: Vec<String> = expected.keys().filter(|name| !weights.contains_key(*name)).map(|name| format!("`{name}`")).collect();
    let unexpected: Vec<String> = weights.keys().filter(|name| !expected.contains_key(*name)).map(|name| format!("`{name}`")).collect();
    let shapes = weights.iter().filter_map(|(name, found)| {
        let needed = expected.get(name)?;
        (needed.shape() != found.shape()).then(|| format!("`{name}` {:?}, needed {:?}", found.dims(), needed.dims()))
    });
    let kinds = [("missing", missing), ("unexpected", unexpected), ("of another shape", shapes.collect())];
    let told: Vec<String> =
        kinds.iter().filter_map(|(kind, names)| Some(format!("{} {kind}, first {}", names.len(), names.first()?))).collect();
    if !told.is_empty() {
        return Err(Error::file(from, format!("no state dict of {name}: {}", told.join("; "))));
    }
    for (name, tensor) in weights {
        if !tensor.to_dtype(DType::F64)?.abs()?.sum_all()?.to_scalar::<f64>()?.is_finite() {
            return Err(Error::file(from, format!("`{name}` holds numbers that are not finite")));
        }
    }
    Ok(())
}
