//! Seconds per training step, and per call of the denoiser.

use super::memory::peak_bytes;
use super::subject::Subject;
use super::timing::{Repetitions, Timing, median};
use candle_core::Device;
use clap::Args;
use serde_json::{Value, json};
use symdiff_cli::{Context, Failure, Outcome};
use symdiff_core::MarkovKernel;
use symdiff_diffusion::{At, Times};
use symdiff_models::{Asked, Experiment, Model};
use symdiff_mol::state::Molecules;
use symdiff_ops::{Noise, gradients};
use symdiff_train::{Optimiser, Variables};

/// The measurement.
#[derive(Args)]
pub(crate) struct Speed {
    #[command(flatten)]
    subject: Subject,
    /// Molecules per batch.
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// The precision of the model: `f32` or `bf16`.
    #[arg(long, default_value = "f32")]
    precision: String,
    /// Timed repetitions, each on another batch.
    #[arg(long, default_value_t = 5)]
    steps: usize,
    /// Start no further repetition after this many seconds; the first is always timed.
    #[arg(long)]
    budget: Option<f64>,
    /// Untimed repetitions before the timed ones; operations are counted in the last.
    #[arg(long, default_value_t = 1)]
    warmup: usize,
    /// Print a table of thread time by op.
    #[arg(long)]
    profile: bool,
}

/// The model and batches to time, and the memory of the process before.
struct Prepared {
    experiment: Experiment,
    model: Model,
    batches: Vec<Molecules>,
    device: Device,
    start_bytes: Option<u64>,
}

impl Speed {
    pub(super) fn step(&self, context: &Context) -> Outcome<Value> {
        let prepared = self.prepare(context, true)?;
        let Prepared { experiment, model, device, .. } = &prepared;
        let mut optimiser = Optimiser::new(&Variables::from(&model.parameters), experiment.train.optimiser()).map_err(Failure::run)?;
        let draws = Noise::seeded(context.seed()).steps();
        let mut step = 0;
        let timing = self.time(&prepared, &mut |batch| {
            let (_, store) =
                gradients(|| Ok::<_, symdiff_models::Error>(model.loss(batch, &Asked::default(), draws.at(step))?.mean_all()?))?;
            let gradients = optimiser.gradients(store);
            optimiser.step(&gradients, experiment.train.lr, step)?;
            step += 1;
            Ok(device.synchronize()?)
        })?;
        let rate = self.batch as f64 / median(&timing.seconds);
        Ok(self.summary(context, &prepared, ["train", "train_s_per_step"], &timing, rate))
    }

    pub(super) fn sample(&self, context: &Context) -> Outcome<Value> {
        let prepared = self.prepare(context, false)?;
        let Prepared { model, device, .. } = &prepared;
        let draws = Noise::seeded(context.seed()).steps();
        let timing = self.time(&prepared, &mut |batch| {
            let at = At { state: batch.clone(), time: Times::Shared(0.5), given: Asked::default() };
            model.denoiser.sample(&at, draws.at(0))?;
            Ok(device.synchronize()?)
        })?;
        let whole = self.batch as f64 / (median(&timing.seconds) * (model.process.steps() + 1) as f64);
        Ok(self.summary(context, &prepared, ["sample", "sample_s_per_call"], &timing, whole))
    }

    fn prepare(&self, context: &Context, train: bool) -> Outcome<Prepared> {
        if self.batch == 0 || self.steps == 0 {
            return Err(Failure::input("--batch and --steps must be at least 1"));
        }
        let start_bytes = peak_bytes();
        let device = context.device()?;
        let experiment = self.subject.experiment(&self.precision)?;
        experiment.check_device(&device)?;
        let model = if train {
            Model::fresh(&experiment, context.seed(), Noise::seeded(context.seed()), &device)?
        } else {
            Model::frozen(&experiment, &device)?.settled()
        };
        let batches = self.subject.batches(self.warmup + self.steps, self.batch, &model.encoding, context.seed(), &device)?;
        Ok(Prepared { experiment, model, batches, device, start_bytes })
    }

    fn time(&self, prepared: &Prepared, once: &mut dyn FnMut(&Molecules) -> symdiff_models::Result<()>) -> Outcome<Timing> {
        let Self { warmup, profile, budget, .. } = *self;
        let repetitions = Repetitions { warmup, budget: budget.unwrap_or(f64::INFINITY), profile, count: prepared.device.is_cpu() };
        Timing::measure(&prepared.batches, &repetitions, once)
    }

    fn summary(&self, context: &Context, prepared: &Prepared, [kind, key]: [&str; 2], timing: &Timing, rate: f64) -> Value {
        if !context.json {
            timing.print_profile();
        }
        json!({
            "config": self.subject.model,
            "parameters": prepared.model.parameters.count(),
            "batch": self.batch,
            "atoms": timing.mean_atoms() / self.batch as f64,
            "device": context.device,
            "precision": self.precision,
            "threads": symdiff_ops::threads::count(),
            "profile": timing.profile,
            key: median(&timing.seconds),
            format!("{kind}_s_per_atom"): timing.seconds_per_atom(),
            format!("{kind}_molecules_per_s"): rate,
            format!("{kind}_seconds"): timing.seconds,
            "flops": timing.flops(),
            "flops_per_s": timing.flops_per_second(),
            // The resident size of the process does not include memory of a GPU.
            format!("{kind}_peak_bytes"): prepared.device.is_cpu().then(peak_bytes).flatten(),
            format!("{kind}_start_bytes"): prepared.start_bytes,
        })
    }
}
