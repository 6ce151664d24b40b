//! Small models away from their zero start, and molecules of the embedded set.
#![allow(dead_code, reason = "each test file uses its part")]

use candle_core::{DType, Device};
use symdiff_models::{Experiment, Model};
use symdiff_mol::data::embedded;
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Noise, Samples};

pub(crate) type TestResult = Result<(), Box<dyn std::error::Error>>;

/// An experiment of one step around a `[model]` section.
pub(crate) fn experiment(model: &str) -> symdiff_models::Result<Experiment> {
    Experiment::parse(&format!("[model]\n{model}\n[train]\nsteps = 1\nbatch = 8\n"), &[])
}

/// The same for a model that is told two properties of each molecule.
pub(crate) fn conditioned(model: &str) -> symdiff_models::Result<Experiment> {
    Experiment::parse(&format!("[data]\ncondition = ['gap', 'alpha']\n[model]\n{model}\n[train]\nsteps = 1\nbatch = 8\n"), &[])
}

/// A model whose parameters are all moved by normal noise: adaLN-Zero starts with most gradients at zero.
pub(crate) fn shaken(experiment: &Experiment) -> Result<Model, Box<dyn std::error::Error>> {
    moved(Model::fresh(experiment, 0, Noise::seeded(0), &Device::Cpu)?)
}

/// The same model to sample from.
pub(crate) fn shaken_frozen(experiment: &Experiment) -> Result<Model, Box<dyn std::error::Error>> {
    moved(Model::frozen(experiment, &Device::Cpu)?)
}

fn moved(model: Model) -> Result<Model, Box<dyn std::error::Error>> {
    let named = model.parameters.named();
    for ((_, var), noise) in named.iter().zip(Noise::seeded(9).repeats(named.len())) {
        let drawn = noise.normal(&Samples::numbered(1), var.dims(), DType::F32, &Device::Cpu)?.squeeze(0)?;
        var.set(&(var.as_tensor() + (drawn * 0.2)?)?)?;
    }
    Ok(model)
}

/// Molecules of the embedded set by place; the place is the sample id.
pub(crate) fn batch(places: &[usize]) -> Result<Molecules, Box<dyn std::error::Error>> {
    let ids: Vec<u64> = places.iter().map(|&place| place as u64).collect();
    Ok(Encoding::qm9().encode(embedded(), places, Samples::new(ids), DType::F32, &Device::Cpu)?)
}
