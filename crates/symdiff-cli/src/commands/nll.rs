//! `nll`: how probable held-out molecules are under a model.

use crate::failure::{Failure, Outcome};
use crate::output::Context;
use crate::progress::Bar;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::PathBuf;
use symdiff_models::{Trained, models::PaddedTo};
use symdiff_mol::data;
use symdiff_train::Precision;

const EXAMPLES: &str = "\
Examples:
  symdiff nll --run runs/mine
  symdiff nll --run runs/mine --data qm9.safetensors --split test --passes 3
  symdiff nll --run runs/mine --data mine.sdf --split all";

/// Estimate the negative log-likelihood of molecules under a model, in nats per molecule.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Nll {
    /// A run folder, or a weights file made by `export`, `fetch` or `import`.
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

impl Nll {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        if self.passes == 0 || self.batch == 0 {
            return Err(Failure::input("--passes and --batch must be at least 1"));
        }
        let padding = self.padding.counted();
        let model = Trained::load_with(&self.run, padding, self.precision, &context.device()?)?;
        let set = self.data.as_ref().map_or_else(|| Ok(data::embedded().clone()), |path| data::load(path))?;
        let split = set.split();
        let mut places = match self.split {
            Part::Test => split.test,
            Part::Validation => split.valid,
            Part::Train => split.train,
            Part::All => (0..set.len()).collect(),
        };
        places.truncate(self.limit.unwrap_or(usize::MAX));
        let bar = Bar::new("nll");
        let nll = model.nll(&set, &places, self.passes, self.batch, context.seed(), &mut |done| bar.show(done, ""))?;
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
            "padding": model.padding,
            "passes": self.passes,
        }))
    }
}
