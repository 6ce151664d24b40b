//! Small models away from their zero start, and molecules of the embedded set.
#![allow(dead_code, reason = "each test file uses its part")]

use candle_core::{DType, Device, Tensor};
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

/// The same for a model that is given fixed atoms.
pub(crate) fn completing(model: &str) -> symdiff_models::Result<Experiment> {
    Experiment::parse(&format!("[data]\nfixed = 0.5\n[model]\n{model}\n[train]\nsteps = 1\nbatch = 8\n"), &[])
}

/// The first `fixed` atoms of each molecule as a condition: about their own centre, with a last feature that is 1; rows of others are zero.
pub(crate) fn first_atoms(clean: &Molecules, fixed: usize) -> Result<Molecules, Box<dyn std::error::Error>> {
    let layout = clean.layout();
    let mut rows = clean.joined()?.to_vec2::<f32>()?;
    for own in (0..layout.len()).map(|sample| layout.rows(sample)) {
        let first = own.start..own.start + fixed;
        let centre: [f32; 3] = std::array::from_fn(|axis| rows[first.clone()].iter().map(|row| row[axis]).sum::<f32>() / fixed as f32);
        for (place, row) in rows[own].iter_mut().enumerate() {
            row.push(1.0);
            row[..3].iter_mut().zip(centre).for_each(|(x, centre)| *x -= centre);
            row.iter_mut().filter(|_| place >= fixed).for_each(|x| *x = 0.0);
        }
    }
    Ok(Molecules::from_joined(&Tensor::new(rows, &Device::Cpu)?, layout.clone())?)
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
