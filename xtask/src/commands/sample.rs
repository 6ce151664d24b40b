//! `sample`: molecules from a trained model.

use crate::failure::{Failure, Outcome};
use crate::output::Context;
use crate::progress::Bar;
use crate::report;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Instant;
use symdiff_diffusion::Method;
use symdiff_mol::chemistry::Protocol;
use symdiff_train::{Sampling, Trained};

/// Draw molecules. Molecule i of a seed is the same, up to rounding, whatever the batch size and the number of threads.
#[derive(Args)]
pub(crate) struct Sample {
    /// A run folder, or a weights file made by `import`.
    #[arg(long)]
    run: PathBuf,
    /// How many molecules.
    #[arg(short, default_value_t = 100)]
    n: usize,
    /// `ancestral`, or, for few steps, `ddim` or `dpm-solver`.
    #[arg(long, default_value_t)]
    sampler: Method,
    /// Denoising steps; the process's own number when absent.
    #[arg(long)]
    steps: Option<usize>,
    /// Molecules a batch; batches of about 4,000 atoms when absent.
    #[arg(long)]
    batch: Option<usize>,
    /// The molecule file: `.xyz`, `.sdf`, `.npz`, …
    #[arg(long)]
    out: PathBuf,
    /// Also write a page on which the first 24 molecules can be turned with the mouse.
    #[arg(long, value_name = "FILE.html")]
    gallery: Option<PathBuf>,
}

/// Molecules of the gallery.
const SHOWN: usize = 24;

impl Sample {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        if self.n == 0 || self.batch == Some(0) || self.steps == Some(0) {
            return Err(Failure::input("-n, --batch and --steps must be at least 1"));
        }
        let model = Trained::load(&self.run, &context.device()?)?;
        let options = Sampling { count: self.n, seed: context.seed, steps: self.steps, batch: self.batch, sampler: self.sampler };
        let start = Instant::now();
        let bar = Bar::new("sampling");
        let molecules = model.sample(&options, &mut |done| bar.show(done, ""))?;
        if let Some(page) = &self.gallery {
            let protocol = if model.model.encoding.vocabulary().name() == "qm9" { Protocol::EdmQm9 } else { Protocol::EdmGeom };
            let title = format!("Samples of {}", self.run.display());
            let text = report::gallery(&title, &molecules[..molecules.len().min(SHOWN)], protocol).map_err(Failure::run)?;
            std::fs::write(page, text).map_err(|error| Failure::input(format!("{}: cannot write it: {error}", page.display())))?;
        }
        let written = symdiff_mol::formats::write_all(&self.out, molecules)?;
        Ok(json!({ "file": self.out, "molecules": written.molecules, "seconds": start.elapsed().as_secs_f64() }))
    }
}
