//! The memory that a model needs, estimated before any is allocated.

use crate::models::{Gamma, Inputs, ModelConfig};
use crate::{Error, Experiment, Result};
use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use symdiff_mol::data::MoleculeSet;
use symdiff_ops::Noise;
use symdiff_train::Settings;

/// The number of parameters of a model, which is built without memory for them.
///
/// # Errors
/// When sizes do not fit.
pub fn parameters(config: &ModelConfig, inputs: impl Into<Inputs>) -> Result<usize> {
    let counter = Counter::default();
    config.build(inputs, Noise::seeded(0), VarBuilder::from_backend(Box::new(counter.clone()), DType::F32, Device::Cpu))?;
    Ok(counter.0.load(Ordering::Relaxed))
}

/// Roughly the bytes that a training step keeps for its backward pass, over so many atoms and ordered pairs of atoms of one molecule.
pub fn activations(config: &ModelConfig, atoms: f64, pairs: f64) -> f64 {
    let gamma = if let Gamma::Learned(gamma) = &config.gamma { 20.0 * (gamma.hidden * gamma.depth) as f64 * atoms } else { 0.0 };
    4.0 * (config.backbone.spec().activations(atoms, pairs) + gamma)
}

/// The available memory in bytes: the system's, within the limit of this process; `None` where the system does not say.
pub fn available() -> Option<f64> {
    let line = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        text.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned)
    };
    let kib = |text: String| Some(text.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0);
    let free = line("/proc/meminfo", "MemAvailable:").and_then(kib)?;
    let limit = line("/proc/self/limits", "Max address space").and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    let taken = line("/proc/self/status", "VmSize:").and_then(kib).unwrap_or(0.0);
    Some(limit.map_or(free, |limit| free.min(limit - taken)))
}

/// Refuses a model whose parameters alone do not fit. A GPU tells itself when it is full.
pub(crate) fn check_parameters(experiment: &Experiment, device: &Device) -> Result<()> {
    if !device.is_cpu() {
        return Ok(());
    }
    let count = count(experiment)?;
    refuse(4.0 * count as f64, &format!("a model of {count} parameters"))
}

/// Roughly the bytes that training needs: parameters, their gradients and layouts, moments and average, and what a share of a step on molecules of the training part's
/// mean size keeps for its backward pass.
///
/// # Errors
/// When sizes do not fit.
pub fn training(experiment: &Experiment, set: &MoleculeSet) -> Result<f64> {
    Ok(training_of(count(experiment)?, experiment, set))
}

/// The number of parameters of an experiment's model.
fn count(experiment: &Experiment) -> Result<usize> {
    parameters(&experiment.model, experiment.inputs())
}

fn training_of(count: usize, experiment: &Experiment, set: &MoleculeSet) -> f64 {
    let Settings { batch, shares, .. } = experiment.train;
    let learned = set.split().train;
    let share = batch as f64 / (shares * learned.len().max(1)) as f64;
    let sizes = learned.iter().map(|&i| set.num_atoms(i) as f64);
    let [atoms, pairs] = sizes.fold([0.0, 0.0], |[atoms, pairs], n| [atoms + n, pairs + n * (n - 1.0)]);
    // Shares that wait to be added, and a buffer for their exchange.
    let waiting = if shares > 1 { 2 + shares.ilog2() } else { 0 };
    4.0 * f64::from(7 + waiting) * count as f64 + activations(&experiment.model, share * atoms, share * pairs)
}

/// Refuses a training that does not fit.
pub(crate) fn check_training(experiment: &Experiment, set: &MoleculeSet, device: &Device) -> Result<()> {
    if !device.is_cpu() {
        return Ok(());
    }
    let count = count(experiment)?;
    let batch = experiment.train.batch;
    refuse(training_of(count, experiment, set), &format!("training {count} parameters on batches of {batch} molecules"))
}

fn refuse(needed: f64, what: &str) -> Result<()> {
    const GIB: f64 = (1_u64 << 30) as f64;
    match available() {
        Some(there) if needed > there => Err(Error::Config(format!(
            "{what} takes about {:.1} GiB of memory, of which {:.1} are free; lower train.batch or the model's sizes",
            needed / GIB,
            there / GIB
        ))),
        _ => Ok(()),
    }
}

/// A backend of parameters that adds up their sizes, and returns views of a single zero.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl SimpleBackend for Counter {
    fn get(&self, shape: Shape, _: &str, _: Init, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        self.0.fetch_add(shape.elem_count(), Ordering::Relaxed);
        Tensor::zeros((), dtype, device)?.broadcast_as(shape)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        candle_core::bail!("`{name}` is asked for without a shape")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symdiff_mol::data::embedded;

    /// Seven copies of each parameter in f32 in one share: those of the conditions count too.
    #[test]
    fn conditions_take_memory() -> Result<()> {
        let of = |condition: &str| -> Result<[f64; 2]> {
            let text = format!("[data]\ncondition = {condition}\n[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 1\nbatch = 8\n");
            let experiment = Experiment::parse(&text, &[])?;
            Ok([count(&experiment)? as f64, training(&experiment, embedded())?])
        };
        let ([few, less], [many, more]) = (of("[]")?, of("['gap', 'alpha']")?);
        assert!(many > few && (more - less - 28.0 * (many - few)).abs() < 1.0, "{less} and {more} bytes for {few} and {many} parameters");
        Ok(())
    }

    /// Molecules that no step sees take no memory.
    #[test]
    fn molecules_that_are_left_out_take_no_memory() -> Result<()> {
        let of = |data: &str| -> Result<f64> {
            let text = format!("[data]\n{data}\n[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 1\nbatch = 8\n");
            let experiment = Experiment::parse(&text, &[])?;
            training(&experiment, &experiment.molecules()?)
        };
        let (all, small) = (of("")?, of("heavy_atoms = 4")?);
        assert!(small < all, "{small} bytes on small molecules, {all} on all");
        Ok(())
    }
}
