//! `sample`: molecules from a trained model.

use super::asking::Asking;
use crate::destination::{Destination, Kind};
use crate::failure::{Failure, Outcome};
use crate::model::Chosen;
use crate::output::{Context, shown};
use crate::progress::Bar;
use crate::report;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;
use symdiff_diffusion::{Framing, Method, Spacing, StochasticEuler};
use symdiff_models::{Request, Sampling, Trained};
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::formats::{self, Writer};
use symdiff_train::Precision;

const EXAMPLES: &str = "\
Examples:
  symdiff sample -n 50 --out m.sdf --gallery m.html     From the model that is compiled in
  symdiff sample --run runs/mine -n 200 --out samples.sdf
  symdiff sample --run runs/mine -n 200 --sampler dpm-solver --steps 50 --out samples.xyz
  symdiff sample --run runs/mine -n 24 --out samples.xyz --gallery samples.html
  symdiff sample --run runs/mine -n 1 --out molecule.xyz --chain forming.xyz
  symdiff sample --run runs/given -n 200 --given gap=4..9 --given alpha=data --guidance 1 --out asked.sdf";

/// Draw molecules from a trained model. With a given seed, molecule i is the same, up to rounding, for every batch size and number of threads.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sample {
    /// A run folder, a weights file made by `export`, `fetch` or `import`, or the name of weights that are compiled in; `symdiff-small` when absent.
    #[arg(long)]
    run: Option<PathBuf>,
    /// The number of molecules.
    #[arg(short, default_value_t = 100)]
    n: usize,
    /// `ancestral` or `dpm-solver-sde`, which add noise in each step; `ddim`, `dpm-solver`, `dpm-solver-3`, `euler` or `heun`, which are deterministic; or `stochastic-euler`, which adds a reduced amount.
    #[arg(long, default_value_t)]
    sampler: Method,
    /// The times of the steps: `uniform`, uniform in log SNR (`log-snr`), those of Karras et al. (`karras`), or `cosine`, with small steps near the data.
    #[arg(long, default_value_t)]
    grid: Spacing,
    #[command(flatten)]
    asking: Asking,
    /// Random frames of a symmetrised model: `fresh` draws one at each call of the network, `kept` one per molecule for all calls.
    #[arg(long, default_value_t)]
    frames: Framing,
    /// Noise that `stochastic-euler` adds before each step, as a share of what the step takes off: 0 adds none, and the default is 0.5.
    #[arg(long, value_name = "C")]
    churn: Option<f64>,
    /// Denoising steps; the number in the experiment when absent.
    #[arg(long)]
    steps: Option<usize>,
    /// Molecules per batch; batches of about 4,000 atoms when absent.
    #[arg(long)]
    batch: Option<usize>,
    /// `f32` or `bf16`; when absent, f32 on a CPU, and on a GPU what the model was trained in.
    #[arg(long)]
    precision: Option<Precision>,
    /// The molecule file to write: `.xyz`, `.sdf`, `.npz`, …
    #[arg(long)]
    out: PathBuf,
    /// Also write an HTML page on which the first 24 molecules can be rotated with the mouse.
    #[arg(long, value_name = "FILE.html")]
    gallery: Option<PathBuf>,
    /// Also write the first molecule forming, about 50 states of its trajectory from noise to the molecule, as molecules named after their times: `.xyz`, `.sdf`, …
    #[arg(long, value_name = "FILE")]
    chain: Option<PathBuf>,
    /// Replace the files of --out, --gallery and --chain even if they hold something else.
    #[arg(long)]
    force: bool,
}

/// Steps through a process at all times, as many as a table of steps may have.
const MOST_STEPS: usize = 100_000;

/// Molecules of the gallery.
const SHOWN: usize = 24;

/// States of a trajectory.
const FRAMES: usize = 50;

/// What is left of a drawing beside the file.
struct Drawn {
    /// Molecules in it.
    count: usize,
    /// Its first molecules.
    first: Vec<Molecule>,
    /// The very first one forming; none without --chain.
    chain: Vec<Molecule>,
}

impl Sample {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        if self.n == 0 || self.batch == Some(0) || self.steps == Some(0) {
            return Err(Failure::input("-n, --batch and --steps must be at least 1"));
        }
        if self.churn.is_some() && self.sampler != Method::StochasticEuler {
            return Err(Failure::input(format!("--churn is an option of --sampler stochastic-euler; {} has none", self.sampler)));
        }
        let churn = self.churn.map(StochasticEuler::new).transpose().map_err(Failure::input)?.unwrap_or_default().churn();
        let request = self.asking.request()?;
        let chosen = Chosen::of(self.run.as_deref())?;
        let mut inputs: Vec<&Path> = chosen.file().into_iter().collect();
        let mut out = Destination::claim(&self.out, Kind::Molecules, &inputs, self.force)?;
        inputs.push(&self.out);
        let page = self.gallery.as_deref().map(|page| Destination::claim(page, Kind::Page, &inputs, self.force)).transpose()?;
        inputs.extend(self.gallery.as_deref());
        let chain = self.chain.as_deref().map(|chain| Destination::claim(chain, Kind::Molecules, &inputs, self.force)).transpose()?;
        let model = self.asking.guided(chosen.load(self.precision, &context.device()?)?)?;
        let outside = model.conditions().map_or_else(Vec::new, |conditions| request.outside(conditions));
        for sentence in &outside {
            tracing::warn!("{sentence}");
        }
        let process = &model.model.process;
        let most = if process.is_continuous() { MOST_STEPS } else { process.steps() };
        if let Some(steps) = self.steps.filter(|steps| *steps > most) {
            return Err(Failure::input(format!("--steps {steps}: this model's process has at most {most} steps; give 1 to {most}")));
        }
        let start = Instant::now();
        let drawn = self.draw(context, churn, request, &model, &mut out)?;
        // The molecules are safe before anything is done with the gallery and the chain.
        out.finish()?;
        if let (Some(destination), Some(path)) = (chain, &self.chain) {
            formats::write_to(destination, path, drawn.chain.into_iter())?.0.finish()?;
        }
        if let Some(page) = page {
            page.fill(page_of(&chosen, &model, &drawn.first)?)?;
        }
        let mut summary = json!({ "file": shown(&self.out), "molecules": drawn.count, "seconds": start.elapsed().as_secs_f64() });
        if !outside.is_empty() {
            summary["outside"] = json!(outside);
        }
        Ok(summary)
    }

    /// Writes molecules as they come.
    fn draw(&self, context: &Context, churn: f64, request: Request, model: &Trained, out: &mut Destination) -> Outcome<Drawn> {
        let Self { n: count, steps, batch, sampler, grid, frames, .. } = *self;
        let options = Sampling { count, seed: context.seed(), steps, batch, sampler, grid, frames, churn, request };
        let bar = Bar::new("sampling");
        let writer = Writer::new(out, &self.out)?;
        let mut writer = if self.asking.properties() { writer.with_properties() } else { writer };
        let mut first = Vec::new();
        let frames = if self.chain.is_some() { FRAMES } else { 0 };
        let chain = model.sample_watched(&options, frames, &mut |done| bar.show(done, ""), |batch| {
            first.extend(batch.iter().take(SHOWN - first.len()).cloned());
            batch.iter().try_for_each(|molecule| Ok::<_, Failure>(writer.write(molecule)?))
        })?;
        Ok(Drawn { count: writer.finish()?.1.molecules, first, chain })
    }
}

/// A page on which molecules can be turned.
fn page_of(chosen: &Chosen, model: &Trained, molecules: &[Molecule]) -> Outcome<String> {
    let protocol = Protocol::of(model.model.encoding.vocabulary());
    report::gallery(&format!("Samples of {}", chosen.name()), molecules, protocol).map_err(Failure::run)
}
