//! What is measured: a model, and the molecules it is given.

use super::clouds;
use candle_core::{DType, Device};
use clap::Args;
use std::path::PathBuf;
use symdiff_cli::{Failure, Outcome};
use symdiff_models::Experiment;
use symdiff_mol::data::{self, MoleculeSet};
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Noise, Samples};

/// The model, and the molecules it is given.
#[derive(Args)]
pub(super) struct Subject {
    /// The name of a model preset, such as `symdiff-qm9`.
    #[arg(long)]
    pub(super) model: String,
    /// Another γ than the preset's: `none`, `haar`, `frames` or `principal`.
    #[arg(long)]
    gamma: Option<String>,
    /// The data set; the embedded one when absent.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Synthetic clouds of exactly this many atoms each, instead of molecules: elements of the model's vocabulary, uniform in a cube
    /// of 0.1 atoms per cubic ångström, about the density of an organic liquid.
    #[arg(long, value_name = "ATOMS", conflicts_with = "data")]
    clouds: Option<usize>,
}

impl Subject {
    /// An experiment of one step, which names the model and nothing else.
    pub(super) fn experiment(&self, precision: &str) -> Outcome<Experiment> {
        let vocabulary = if self.model.contains("geom") { "geom" } else { "qm9" };
        let text = format!("data.vocabulary = '{vocabulary}'\nmodel.preset = '{}'\ntrain.steps = 1\n", self.model);
        let gamma = self.gamma.as_ref().map(|kind| format!("model.gamma={{ kind = '{kind}' }}"));
        let settings: Vec<String> = gamma.into_iter().chain([format!("train.precision={precision}")]).collect();
        Ok(Experiment::parse(&text, &settings)?)
    }

    /// `rounds` batches of molecules drawn with replacement.
    pub(super) fn batches(&self, rounds: usize, batch: usize, encoding: &Encoding, seed: u64, device: &Device) -> Outcome<Vec<Molecules>> {
        let set = match (self.clouds, &self.data) {
            (Some(0), _) => return Err(Failure::input("--clouds must be at least 1, the atoms of a cloud")),
            (Some(atoms), _) => clouds::drawn(batch, atoms, encoding.vocabulary().elements(), Noise::seeded(seed))?,
            (None, Some(path)) => data::load(path)?,
            (None, None) => data::embedded().clone(),
        };
        (0..rounds).map(|round| drawn(round, batch, &set, encoding, seed, device)).collect()
    }
}

fn drawn(round: usize, batch: usize, set: &MoleculeSet, encoding: &Encoding, seed: u64, device: &Device) -> Outcome<Molecules> {
    let samples = Samples::numbered(batch);
    let noise = Noise::seeded(seed).steps().at(round as u64);
    let places = noise.integers(&samples, 0..set.len() as u32).map_err(Failure::run)?;
    let places: Vec<usize> = places.into_iter().map(|place| place as usize).collect();
    Ok(encoding.encode(set, &places, samples, DType::F32, device)?)
}
