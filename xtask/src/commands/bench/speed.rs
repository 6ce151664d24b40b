//! Seconds a training step, and a denoiser call.

use super::memory::peak_bytes;
use super::profile;
use crate::failure::{Failure, Outcome};
use crate::output::Context;
use candle_core::{DType, Device};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Instant;
use symdiff_core::MarkovKernel;
use symdiff_diffusion::{At, Times};
use symdiff_mol::data::{self, MoleculeSet};
use symdiff_mol::state::Molecules;
use symdiff_ops::{Noise, Samples, gradients};
use symdiff_train::{Experiment, Model, Optimiser};

/// What to time.
#[derive(Args)]
pub(crate) struct Speed {
    /// A model by name, such as `symdiff-qm9`.
    #[arg(long)]
    model: String,
    /// Molecules a batch.
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// What the transformers compute in: `f32`, or `bf16` (on CUDA).
    #[arg(long, default_value = "f32")]
    precision: String,
    /// The molecules; the embedded set when absent.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Timed repetitions, each on another batch.
    #[arg(long, default_value_t = 5)]
    steps: usize,
    /// Untimed repetitions before them.
    #[arg(long, default_value_t = 1)]
    warmup: usize,
    /// Print a table of thread time by op.
    #[arg(long)]
    pub(super) profile: bool,
}

impl Speed {
    pub(super) fn step(&self, context: &Context) -> Outcome<Value> {
        let (experiment, model, batches, device) = self.prepare(context, true)?;
        let start_bytes = peak_bytes();
        let mut optimiser = Optimiser::new(&model.parameters, &experiment.train)?;
        let draws = Noise::seeded(context.seed).steps();
        let mut step = 0;
        let mut once = |batch: &Molecules| -> symdiff_train::Result<()> {
            let loss = model.loss(batch, draws.at(step))?.mean_all()?;
            optimiser.step(gradients(&loss)?, experiment.train.lr, step)?;
            step += 1;
            Ok(device.synchronize()?)
        };
        let seconds = self.time(&batches, &mut once)?;
        Ok(self.summary(context, "train", "train_s_per_step", &seconds, self.batch as f64 / median(&seconds), start_bytes))
    }

    pub(super) fn sample(&self, context: &Context) -> Outcome<Value> {
        let (_, model, batches, device) = self.prepare(context, false)?;
        let start_bytes = peak_bytes();
        let draws = Noise::seeded(context.seed).steps();
        let mut once = |batch: &Molecules| -> symdiff_train::Result<()> {
            let at = At { state: batch.clone(), time: Times::Shared(0.5) };
            model.denoiser.sample(&at, draws.at(0))?;
            Ok(device.synchronize()?)
        };
        let seconds = self.time(&batches, &mut once)?;
        let whole = self.batch as f64 / (median(&seconds) * (model.process.steps() + 1) as f64);
        Ok(self.summary(context, "sample", "sample_s_per_call", &seconds, whole, start_bytes))
    }

    fn prepare(&self, context: &Context, train: bool) -> Outcome<(Experiment, Model, Vec<Molecules>, Device)> {
        if self.batch == 0 || self.steps == 0 {
            return Err(Failure::input("--batch and --steps must be at least 1"));
        }
        let device = context.device()?;
        let set = self.data.as_ref().map_or_else(|| Ok(data::embedded().clone()), |path| data::load(path))?;
        let vocabulary = if self.model.contains("geom") { "geom" } else { "qm9" };
        let text = format!("data.vocabulary = '{vocabulary}'\nmodel.preset = '{}'\ntrain.steps = 1\n", self.model);
        let experiment = Experiment::parse(&text, &[format!("train.precision={}", self.precision)])?;
        experiment.check_device(&device)?;
        let model = if train {
            Model::fresh(&experiment, context.seed, Noise::seeded(context.seed), &device)?
        } else {
            Model::frozen(&experiment, &device)?
        };
        let batches = (0..self.warmup + self.steps).map(|round| self.draw(round, &set, &model, context.seed, &device));
        let batches = batches.collect::<Outcome<Vec<_>>>()?;
        Ok((experiment, model, batches, device))
    }

    /// A batch of molecules drawn with replacement.
    fn draw(&self, round: usize, set: &MoleculeSet, model: &Model, seed: u64, device: &Device) -> Outcome<Molecules> {
        let samples = Samples::numbered(self.batch);
        let noise = Noise::seeded(seed).steps().at(round as u64);
        let places = noise.integers(&samples, 0..set.len() as u32).map_err(Failure::run)?;
        let places: Vec<usize> = places.into_iter().map(|place| place as usize).collect();
        Ok(model.encoding.encode(set, &places, samples, DType::F32, device)?)
    }

    fn time(&self, batches: &[Molecules], once: &mut dyn FnMut(&Molecules) -> symdiff_train::Result<()>) -> Outcome<Vec<f64>> {
        let mut seconds = Vec::with_capacity(self.steps);
        for (round, batch) in batches.iter().enumerate() {
            if round == self.warmup {
                profile::start();
            }
            let start = Instant::now();
            once(batch)?;
            if round >= self.warmup {
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
        Ok(seconds)
    }

    fn summary(&self, context: &Context, kind: &str, key: &str, seconds: &[f64], rate: f64, start_bytes: Option<u64>) -> Value {
        let threads = symdiff_ops::threads::count();
        let rows = self.profile.then(|| profile::rows(self.steps, seconds.iter().sum(), threads));
        if let Some(rows) = rows.as_ref().filter(|_| !context.json) {
            println!("{}", profile::table(rows));
        }
        json!({
            "config": self.model,
            "batch": self.batch,
            "device": context.device,
            "precision": self.precision,
            "threads": threads,
            "profile": rows,
            key: median(seconds),
            format!("{kind}_molecules_per_s"): rate,
            format!("{kind}_seconds"): seconds,
            // The process's memory is not the GPU's.
            format!("{kind}_peak_bytes"): (context.device == "cpu").then(peak_bytes).flatten(),
            format!("{kind}_start_bytes"): start_bytes,
        })
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { 0.5 * (sorted[middle - 1] + sorted[middle]) }
}
