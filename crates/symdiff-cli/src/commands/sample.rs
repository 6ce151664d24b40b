//! `sample`: molecules from a trained model.

use super::asking::Asking;
use super::shared;
use crate::destination::{Destination, Kind};
use crate::failure::{Failure, Outcome};
use crate::model::Chosen;
use crate::output::{Context, shown};
use crate::progress::Bar;
use crate::report;
use crate::shard::{self, Shard, Work};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;
use symdiff_diffusion::{Framing, Method, Route, Spacing};
use symdiff_models::{Request, Sampling, Trained};
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::formats::{self, Writer};
use symdiff_ranks::Processes;
use symdiff_train::{Precision, Ranks, Share};

const EXAMPLES: &str = "\
Examples:
  symdiff sample -n 50 --out m.sdf --gallery m.html     From the model that is compiled in
  symdiff sample --run runs/mine -n 200 --out samples.sdf
  symdiff sample --run runs/mine -n 200 --sampler dpm-solver --steps 50 --out samples.xyz
  symdiff sample --run runs/mine -n 24 --out samples.xyz --gallery samples.html
  symdiff sample --run runs/mine -n 10000 --shard 0/4 --out part-0.shard
  symdiff sample --run runs/mine -n 1 --out molecule.xyz --chain forming.xyz
  symdiff sample --run runs/given -n 200 --given gap=4..9 --given alpha=data --guidance 1 --out asked.sdf";

/// Draw molecules from a trained model. With a given seed, molecule i is the same, up to rounding, for every batch size and number of threads.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sample {
    /// A run folder, a weights file made by `export`, `fetch` or `import`, or the name of weights that are compiled in; `symdiff-given-small` when absent.
    #[arg(long)]
    run: Option<PathBuf>,
    /// The number of molecules.
    #[arg(short, default_value_t = 100)]
    n: usize,
    /// `ancestral` or `dpm-solver-sde`, which add noise in each step; `ddim`, `dpm-solver`, `dpm-solver-3`, `euler` or `heun`, which are deterministic; or `stochastic-ddim` or `stochastic-euler`, which add as much as --churn says.
    ///
    /// When absent: as the molecules were drawn whose scores a weights file records, else `ancestral`. The same holds for --grid, --frames, --churn and --steps, and for --given where nothing at all is asked.
    #[arg(long)]
    sampler: Option<Method>,
    /// The times of the steps: `uniform`, uniform in log SNR (`log-snr`), those of Karras et al. (`karras`), `cosine`, with small steps near the data, or `logistic`, with most steps where bond lengths are decided.
    #[arg(long)]
    grid: Option<Spacing>,
    #[command(flatten)]
    asking: Asking,
    /// Random frames of a symmetrised model: `fresh` draws one at each call of the network, `kept` one per molecule for all calls.
    #[arg(long)]
    frames: Option<Framing>,
    /// Noise that is drawn anew, against what a step takes off: 0 draws none, and the default is 0.5 for `stochastic-euler` and 1000 for `stochastic-ddim`.
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
    /// The molecule file to write: `.xyz`, `.sdf`, `.npz`, …; with --shard, the shard.
    #[arg(long)]
    out: PathBuf,
    /// Draw this share of the molecules alone, such as `0/4`, the first of four; `gather` joins them.
    #[arg(long, value_name = "I/N", conflicts_with_all = ["gallery", "chain"])]
    shard: Option<Shard>,
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

/// The name of the command in shards.
pub(crate) const NAME: &str = "sample";

/// What is left of a drawing beside the file.
#[derive(Default)]
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
        let request = self.asking.request()?;
        let chosen = Chosen::of(self.run.as_deref())?;
        let mut inputs = chosen.inputs();
        inputs.extend(self.asking.files());
        let device = context.device()?;
        let processes = context.processes(&device)?;
        if processes.size() > 1 && (self.shard.is_some() || self.chain.is_some()) {
            return Err(Failure::input("--shard and --chain are for one process; leave them out under mpirun"));
        }
        // One process writes.
        let claim = |path: &Path, kind, inputs: &[&Path]| {
            (processes.rank() == 0).then(|| Destination::claim(path, kind, inputs, self.force)).transpose()
        };
        let out = claim(&self.out, if self.shard.is_some() { Kind::Shard } else { Kind::Molecules }, &inputs)?;
        inputs.push(&self.out);
        let page = self.gallery.as_deref().map(|page| claim(page, Kind::Page, &inputs)).transpose()?.flatten();
        inputs.extend(self.gallery.as_deref());
        let chain = self.chain.as_deref().map(|chain| claim(chain, Kind::Molecules, &inputs)).transpose()?.flatten();
        let model = self.asking.guided(chosen.load(None, self.precision, &device)?)?;
        let outside = model.conditions().map_or_else(Vec::new, |conditions| request.outside(conditions));
        for sentence in &outside {
            tracing::warn!("{sentence}");
        }
        let start = Instant::now();
        let options = self.options(&model, context.seed(), request)?;
        // The molecules are safe before anything is done with the gallery and the chain.
        let drawn = self.drawn(&options, &model, processes, out)?;
        if let (Some(destination), Some(path)) = (chain, &self.chain) {
            formats::write_to(destination, path, drawn.chain)?.0.finish()?;
        }
        if let Some(page) = page {
            page.fill(page_of(&chosen, &model, &drawn.first)?)?;
        }
        let steps = options.steps.unwrap_or(model.model.process.steps());
        let mut summary = json!({
            "file": shown(&self.out),
            "molecules": drawn.count,
            "sampler": options.sampler.to_string(),
            "steps": steps,
            "seconds": start.elapsed().as_secs_f64(),
        });
        if !outside.is_empty() {
            summary["outside"] = json!(outside);
        }
        Ok(summary)
    }

    /// What is asked for, and for the rest what is usual for the model: another sampler has other defaults.
    fn options(&self, model: &Trained, seed: u64, request: Request) -> Outcome<Sampling> {
        let process = &model.model.process;
        let most = if process.is_continuous() { MOST_STEPS } else { process.steps() };
        if let Some(steps) = self.steps.filter(|steps| *steps > most) {
            return Err(Failure::input(format!("--steps {steps}: this model's process has at most {most} steps; give 1 to {most}")));
        }
        let recorded = model.usual_sampling(self.n, seed)?;
        let request = if request == Request::default() && !self.asking.nothing { recorded.request.clone() } else { request };
        let usual = self.sampler.map_or(recorded, |sampler| Sampling { sampler, ..Sampling::of(self.n, seed) });
        let options = Sampling {
            steps: self.steps.or(usual.steps),
            batch: self.batch,
            grid: self.grid.unwrap_or(usual.grid),
            frames: self.frames.unwrap_or(usual.frames),
            churn: self.churn.or(usual.churn),
            request,
            ..usual
        };
        Route { churn: options.churn, ..Route::new(options.sampler, 1) }.check().map_err(Failure::input)?;
        Ok(options)
    }

    /// Draws, and writes the file: molecules as they come, a shard, or what all processes have drawn.
    fn drawn(&self, options: &Sampling, model: &Trained, processes: &Processes, out: Option<Destination>) -> Outcome<Drawn> {
        let properties = !options.request.given.is_empty();
        match (self.shard, out) {
            (Some(shard), Some(out)) => {
                let lines = shared::lines(model, options, shard.0)?;
                let work = shared::work(NAME, &self.asking, model, options, self.precision);
                shard::write(out, &self.out, shard, work, &lines)?;
                Ok(Drawn { count: lines.lines().count(), ..Drawn::default() })
            }
            (None, Some(mut out)) if processes.size() == 1 => {
                let bar = Bar::new("sampling");
                let mut results = Results::new(&mut out, &self.out, properties)?;
                let frames = if self.chain.is_some() { FRAMES } else { 0 };
                let chain = model.sample_watched(options, frames, &mut |done| bar.show(done, ""), |batch| {
                    batch.iter().try_for_each(|molecule| results.write(molecule))
                })?;
                let drawn = results.finish()?;
                out.finish()?;
                Ok(Drawn { chain, ..drawn })
            }
            (_, out) => {
                let lines = shared::lines(model, options, Share::of(processes))?;
                let all = processes.gather(lines.as_bytes()).map_err(Failure::from)?;
                let Some(mut out) = out else { return Ok(Drawn::default()) };
                let drawn = rest(&String::from_utf8(all.concat()).map_err(Failure::run)?, &mut out, &self.out, properties)?;
                out.finish()?;
                Ok(drawn)
            }
        }
    }
}

/// Writes molecules that are one a line to a file, and says how many there are in it.
pub(crate) fn write(work: &Work, lines: &str, out: &mut Destination, path: &Path) -> Outcome<usize> {
    rest(lines, out, path, *work.setting("properties") == json!(true)).map(|drawn| drawn.count)
}

fn rest(lines: &str, out: &mut Destination, path: &Path, properties: bool) -> Outcome<Drawn> {
    let mut results = Results::new(out, path, properties)?;
    for line in lines.lines() {
        results.write(&shared::molecule(line)?)?;
    }
    results.finish()
}

/// A molecule file that is being written, and the first of its molecules.
struct Results<'a> {
    writer: Writer<&'a mut Destination>,
    first: Vec<Molecule>,
}

impl<'a> Results<'a> {
    fn new(out: &'a mut Destination, path: &Path, properties: bool) -> Outcome<Self> {
        let writer = Writer::new(out, path)?;
        Ok(Self { writer: if properties { writer.with_properties() } else { writer }, first: Vec::new() })
    }

    fn write(&mut self, molecule: &Molecule) -> Outcome<()> {
        if self.first.len() < SHOWN {
            self.first.push(molecule.clone());
        }
        Ok(self.writer.write(molecule)?)
    }

    fn finish(self) -> Outcome<Drawn> {
        Ok(Drawn { count: self.writer.finish()?.1.molecules, first: self.first, chain: Vec::new() })
    }
}

/// A page on which molecules can be turned.
fn page_of(chosen: &Chosen, model: &Trained, molecules: &[Molecule]) -> Outcome<String> {
    let protocol = Protocol::of(model.model.encoding.vocabulary());
    report::gallery(&format!("Samples of {}", chosen.name()), molecules, protocol).map_err(Failure::run)
}
