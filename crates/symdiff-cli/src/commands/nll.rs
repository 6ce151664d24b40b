//! `nll`: how probable held-out molecules are under a model.

use crate::destination::{Destination, Kind};
use crate::failure::{Failure, Outcome};
use crate::model::Chosen;
use crate::output::{Context, shown};
use crate::progress::Bar;
use crate::shard::{self, Shard, Work};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::PathBuf;
use symdiff_models::{Trained, models::PaddedTo};
use symdiff_mol::data::{self, MoleculeSet};
use symdiff_train::{Precision, Ranks, Share};

const EXAMPLES: &str = "\
Examples:
  symdiff nll --run runs/mine
  symdiff nll --run runs/mine --data qm9.safetensors --split test --passes 3
  symdiff nll --run runs/mine --data mine.sdf --split all
  symdiff nll --run runs/mine --shard 0/2 --out nll-0.shard";

/// Estimate the negative log-likelihood of molecules under a model, in nats per molecule.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Nll {
    /// A run folder, a weights file made by `export`, `fetch` or `import`, or the name of weights that are compiled in.
    #[arg(long)]
    run: PathBuf,
    /// The data set; the embedded one when absent.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The part of the data set.
    #[arg(long, value_enum, default_value_t = Part::Test)]
    split: Part,
    /// Independent estimates per molecule, which are averaged.
    #[arg(long, default_value_t = 1)]
    passes: usize,
    /// Molecules per batch; the estimate of a published model depends on it under --padding longest.
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// The length of padding, for published models whose results depend on it. It has no effect on other models.
    #[arg(long, value_enum, default_value_t = Padding::Longest)]
    padding: Padding,
    /// `f32` or `bf16`; when absent, f32 on a CPU, and on a GPU what the model was trained in.
    #[arg(long)]
    precision: Option<Precision>,
    /// Use only this many molecules from the beginning of the part.
    #[arg(long)]
    limit: Option<usize>,
    /// Estimate on this share of the molecules alone, such as `0/4`, the first of four; `gather` joins them.
    #[arg(long, value_name = "I/N", requires = "out")]
    shard: Option<Shard>,
    /// With --shard: the shard to write.
    #[arg(long, requires = "shard")]
    out: Option<PathBuf>,
    /// Replace the file of --out even if it holds something else.
    #[arg(long, requires = "out")]
    force: bool,
}

/// The length to which a published model pads its molecules.
#[derive(Clone, Copy, ValueEnum)]
enum Padding {
    /// That of the batch's longest molecule, as the published training and evaluation do.
    Longest,
    /// That of the data set's longest molecule (QM9: 29, GEOM: 181), as the published samplers do.
    Sampler,
}

impl Padding {
    fn counted(self) -> Option<PaddedTo> {
        match self {
            Self::Longest => Some(PaddedTo::Longest),
            Self::Sampler => None,
        }
    }
}

/// A part of a data set under the published split.
#[derive(Clone, Copy, ValueEnum)]
enum Part {
    /// Molecules held out for the final evaluation.
    Test,
    /// Molecules held out for validation.
    Validation,
    /// Molecules that the model is trained on.
    Train,
    /// All molecules.
    All,
}

/// The name of the command in shards.
pub(crate) const NAME: &str = "nll";

impl Nll {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        if self.passes == 0 || self.batch == 0 {
            return Err(Failure::input("--passes and --batch must be at least 1"));
        }
        let device = context.device()?;
        let processes = context.processes(&device)?;
        if self.shard.is_some() && processes.size() > 1 {
            return Err(Failure::input("--shard divides the work of processes that nothing joins; leave it out under mpirun"));
        }
        let chosen = Chosen::of(Some(&self.run))?;
        let mut inputs = chosen.inputs();
        inputs.extend(self.data.as_deref());
        let out = self.out.as_deref().map(|path| Destination::claim(path, Kind::Shard, &inputs, self.force)).transpose()?;
        let model = chosen.load(self.padding.counted(), self.precision, &device)?;
        let set = self.data.as_ref().map_or_else(|| Ok(data::embedded().clone()), |path| data::load(path))?;
        let places = self.places(&model, &set);
        let known = model.of_seen_sizes(&set, &places);
        let work = self.work(context, &model, places.len() - known.len(), known.len());
        let share = self.shard.map_or_else(|| Share::of(processes), |Shard(share)| share);
        // Whole batches: an estimate may depend on the others of its batch in the last bits, or under `--padding longest`.
        let batches = share.range(known.len().div_ceil(self.batch));
        let part = &known[self.batch * batches.start..known.len().min(self.batch * batches.end)];
        let bar = Bar::new(NAME);
        let totals = model.nll_each(&set, part, self.passes, self.batch, context.seed(), &mut |done| bar.show(done, ""))?;
        drop(bar);
        // The shortest digits that read back as the same number.
        let lines: Vec<String> = totals.iter().map(|total| format!("{total:?}\n")).collect();
        let lines = lines.concat();
        if let (Some(shard), Some(out), Some(path)) = (self.shard, out, &self.out) {
            shard::write(out, path, shard, work, &lines)?;
            return Ok(json!({ "file": shown(path), "molecules": totals.len() }));
        }
        let all = processes.gather(lines.as_bytes()).map_err(Failure::from)?;
        joined(&work, &String::from_utf8(all.concat()).map_err(Failure::run)?)
    }

    fn places(&self, model: &Trained, set: &MoleculeSet) -> Vec<usize> {
        let split = model.parts(set);
        let mut places = match self.split {
            Part::Test => split.test,
            Part::Validation => split.valid,
            Part::Train => split.train,
            Part::All => (0..set.len()).collect(),
        };
        places.truncate(self.limit.unwrap_or(usize::MAX));
        places
    }

    /// All that the estimate depends on.
    fn work(&self, context: &Context, model: &Trained, unseen: usize, molecules: usize) -> Work {
        let settings = [
            ("weights", json!(format!("{:016x}", model.weights_hash))),
            ("seed", json!(context.seed())),
            ("data", json!(self.data.as_deref().map_or_else(|| "embedded".into(), shown))),
            ("split", json!(self.split.to_possible_value().map(|part| part.get_name().to_owned()))),
            ("batch", json!(self.batch)),
            ("precision", json!(self.precision.map(|precision| format!("{precision:?}")))),
            ("molecules", json!(molecules)),
            ("unseen_sizes", json!(unseen)),
            ("padding", json!(model.padding)),
            ("passes", json!(self.passes)),
        ];
        Work::new(NAME, settings)
    }
}

/// The summary of estimates that are one a line.
pub(crate) fn joined(work: &Work, lines: &str) -> Outcome<Value> {
    let totals: Vec<f64> = lines.lines().filter_map(|line| line.parse().ok()).collect();
    let setting = |key: &str| work.setting(key).as_u64().unwrap_or(0) as usize;
    if totals.len() != setting("molecules") {
        return Err(Failure::run(format!("{} estimates for {} molecules", totals.len(), setting("molecules"))));
    }
    let nll = symdiff_models::Nll::of(&totals, setting("unseen_sizes"))?;
    if nll.unseen_sizes > 0 {
        let all = nll.molecules + nll.unseen_sizes;
        tracing::warn!(
            "{} of {all} molecules ({:.1} %) have sizes that the model never saw; the estimate leaves them out, and is too low by their share",
            nll.unseen_sizes,
            100.0 * nll.unseen_sizes as f64 / all as f64,
        );
    }
    Ok(json!({
        "nll": nll.mean,
        "standard_error": nll.standard_error,
        "molecules": nll.molecules,
        "unseen_sizes": nll.unseen_sizes,
        "padding": work.setting("padding"),
        "passes": work.setting("passes"),
    }))
}
