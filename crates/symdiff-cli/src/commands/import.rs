//! `import`: a state dict of the published implementation, made a checkpoint of this one.

use crate::destination::{self, Kind};
use crate::failure::Outcome;
use crate::output::shown;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use symdiff_mol::data;

/// Make a checkpoint of a PyTorch state dict or a safetensors file; no code in it is run.
#[derive(Args)]
pub(crate) struct Import {
    /// The state dict, as torch.save writes it (`.npy`, `.pt`, `.pth`), or safetensors.
    #[arg(long)]
    from: PathBuf,
    /// The published model it belongs to: `symdiff-qm9`, `dit-qm9`, `edm-qm9`, …
    #[arg(long)]
    model: String,
    /// Molecules whose sizes samples will have; the embedded set when absent.
    #[arg(long)]
    sizes_from: Option<PathBuf>,
    /// The checkpoint to write; `sample`, `nll` take it as --run.
    #[arg(long)]
    out: PathBuf,
    /// Replace the file of --out even if it holds something other than weights.
    #[arg(long)]
    force: bool,
}

impl Import {
    pub(crate) fn run(&self) -> Outcome<Value> {
        let inputs: Vec<&Path> = [Some(&self.from), self.sizes_from.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
        destination::check(&self.out, Kind::Checkpoint, &inputs, self.force)?;
        let sizes = self.sizes_from.as_ref().map_or_else(|| Ok(data::embedded().clone()), |path| data::load(path))?;
        let made = symdiff_models::import(&self.from, &self.model, &sizes, &self.out)?;
        let from = self.sizes_from.as_ref().map_or_else(|| "embedded".to_owned(), |path| path.display().to_string());
        Ok(json!({
            "file": shown(&self.out),
            "model": self.model,
            "tensors": made.tensors,
            "parameters": made.parameters,
            "padding_compat": made.padding,
            "sizes_from": from,
        }))
    }
}
