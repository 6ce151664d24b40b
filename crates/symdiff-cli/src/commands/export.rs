//! `export`: one small file of weights that says what it is.

use crate::destination::{Destination, Kind};
use crate::failure::{Failure, Outcome};
use crate::model::Chosen;
use crate::output::{Context, shown};
use crate::progress::stages;
use clap::{Args, value_parser};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use symdiff_diffusion::{Framing, Method, Route, Spacing};
use symdiff_models::weights::{DataRecord, Provenance, Scoring};
use symdiff_models::{Experiment, Given, Request, Sampling, Trained};
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::data::{self, MoleculeSet};
use symdiff_mol::metrics::Resampling;
use symdiff_train::Precision;

const EXAMPLES: &str = "\
Examples:
  symdiff export --run runs/mine --out mine.safetensors
  symdiff export --run runs/small --out small.safetensors --sampler stochastic-ddim --grid log-snr --steps 250
  symdiff export --run runs/given --out given.safetensors --given gap=data --given alpha=data
  symdiff verify mine.safetensors --scores";

/// Write the averaged weights of a run into one file, with its experiment, the hash of its data, its scores and their errors.
///
/// Scores are those of the file: weights are rounded before molecules are drawn. `verify` checks them, `card` tells them in Markdown, `sample` and `nll` take
/// the file as --run; `sample` draws as the molecules of the scores were drawn, unless it is asked for another sampler or other properties.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    /// The run folder, or a checkpoint or weights file.
    #[arg(long)]
    run: PathBuf,
    /// The file to write, ending in `.safetensors`.
    #[arg(long)]
    out: PathBuf,
    /// What each number is stored in: `bf16`, two bytes, or `f32`, four.
    #[arg(long, default_value = "bf16")]
    storage: Precision,
    /// The model's name; that of the file when absent.
    #[arg(long)]
    name: Option<String>,
    /// The licence of the weights, as an SPDX identifier.
    #[arg(long, default_value = "MIT")]
    licence: String,
    /// The data set that the run learned from, where it is no longer at its place.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Molecules to draw for the scores; 0 for a file without scores.
    #[arg(long, default_value_t = 1000)]
    samples: usize,
    /// Molecules of the test part for the likelihood; 0 for none.
    #[arg(long, default_value_t = 1000)]
    nll_molecules: usize,
    /// The sampler, as of `sample`.
    #[arg(long, default_value_t)]
    sampler: Method,
    /// The times of its steps, as of `sample`.
    #[arg(long, default_value_t)]
    grid: Spacing,
    /// Random frames, as of `sample`.
    #[arg(long, default_value_t)]
    frames: Framing,
    /// The sampler's churn, as of `sample`.
    #[arg(long, value_name = "C")]
    churn: Option<f64>,
    /// Denoising steps; the number in the experiment when absent.
    #[arg(long)]
    steps: Option<usize>,
    /// A property to ask for of the molecules of the scores, as of `sample`: `gap=data`. For each property that the model was trained with, say, so that they are molecules of the data's law.
    #[arg(long, value_name = "NAME=VALUE|LOW..HIGH|data", value_parser = super::asking::request::<Given>)]
    given: Vec<Given>,
    /// The rules that judge the samples; by the model's elements, EDM's for QM9 or for GEOM-Drugs, when absent.
    #[arg(long)]
    protocol: Option<Protocol>,
    /// The number of bootstrap replicates for confidence intervals, at least 40.
    #[arg(long, default_value_t = 1000, value_parser = value_parser!(u32).range(i64::from(Resampling::LEAST)..))]
    replicates: u32,
    /// Replace the file of --out even if it holds something other than weights.
    #[arg(long)]
    force: bool,
}

impl Export {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        Route { churn: self.churn, ..Route::new(self.sampler, 1) }.check().map_err(Failure::input)?;
        if self.samples == 0 && !self.given.is_empty() {
            return Err(Failure::input(
                "--given is asked of the molecules of the scores, and --samples 0 draws none; leave one of them out",
            ));
        }
        let chosen = Chosen::of(Some(&self.run))?;
        let model = chosen.load(None, Some(Precision::F32), &context.device()?)?;
        let data = self.data.clone().or(Experiment::parse(&model.header.record.description, &[])?.data.path);
        let mut inputs = chosen.inputs();
        inputs.extend(data.as_deref());
        let out = Destination::claim(&self.out, Kind::Weights, &inputs, self.force)?;
        let model = model.rounded(self.storage)?;
        let (source, set) = learned_from(&model, data.as_deref())?;
        let scoring = self.scoring(context, &model);
        let scores = if self.samples == 0 { None } else { Some(model.scored(&scoring, &set, &mut stages())?) };
        let provenance = Provenance {
            name: self.name.clone().or_else(|| Some(self.out.file_stem()?.to_string_lossy().into_owned())).unwrap_or_default(),
            licence: self.licence.clone(),
            program: concat!("symdiff ", env!("CARGO_PKG_VERSION")).to_owned(),
            parameters: model.model.parameters.count(),
            storage: self.storage,
            data: DataRecord::of(source, &set),
            scores,
        };
        let content = model.weights_file(&self.out, &provenance)?;
        out.fill(&content)?;
        Ok(json!({
            "file": shown(&self.out),
            "bytes": content.len(),
            "parameters": provenance.parameters,
            "steps": model.header.step,
            "data_hash": provenance.data.hash,
            "scores": provenance.scores,
        }))
    }

    fn scoring(&self, context: &Context, model: &Trained) -> Scoring {
        let Self { samples, steps, sampler, grid, frames, churn, .. } = *self;
        let request = Request { given: self.given.clone(), ..Request::default() };
        Scoring {
            protocol: self.protocol.unwrap_or_else(|| Protocol::of(model.model.encoding.vocabulary())),
            sampling: Sampling { steps, sampler, grid, frames, churn, request, ..Sampling::of(samples, context.seed()) },
            replicates: self.replicates,
            nll_molecules: self.nll_molecules,
        }
    }
}

/// The set that the run learned from, of this file or the embedded one, and its name.
fn learned_from(model: &Trained, path: Option<&Path>) -> Outcome<(String, MoleculeSet)> {
    let set = path.map_or_else(|| Ok(data::embedded().clone()), data::load)?;
    if !model.learned_from(&set) {
        let place = path.unwrap_or(Path::new("embedded")).display();
        return Err(Failure::input(format!(
            "{place}: its training molecules are of other sizes than the run's; name the set of the run with --data"
        )));
    }
    let name = path.and_then(Path::file_name).map_or_else(|| "embedded".to_owned(), |name| name.to_string_lossy().into_owned());
    Ok((name, set))
}
