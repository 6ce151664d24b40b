//! `import`: converts a run of the published implementation into a checkpoint of this one.

use crate::destination::{Destination, Kind};
use crate::failure::{Failure, Outcome};
use crate::output::shown;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use symdiff_mol::data::{self, SizeHistogram};

const EXAMPLES: &str = "\
Examples:
  symdiff import --from outputs/symdiff/generative_model_ema.npy --out symdiff.safetensors
  symdiff import --from generative_model_ema.npy --model edm-qm9 --out edm.safetensors";

/// Convert a published run (a PyTorch state dict or safetensors file, and its args.pickle) into a checkpoint. No code in these files is executed.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Import {
    /// The state dict, as torch.save writes it (`.npy`, `.pt`, `.pth`), or safetensors.
    #[arg(long)]
    from: PathBuf,
    /// The run's arguments; `args.pickle` beside --from when absent.
    #[arg(long, value_name = "FILE")]
    args: Option<PathBuf>,
    /// The name of the published model: `symdiff-qm9`, `dit-qm9`, `edm-qm9`, … Needed where there is no args.pickle.
    #[arg(long)]
    model: Option<String>,
    /// A data set whose distribution of sizes samples will have; that of the published training molecules of QM9 or GEOM when absent.
    #[arg(long)]
    sizes_from: Option<PathBuf>,
    /// The whole data set of a conditional run, which holds what its properties are normalised by: QM9 as `data prepare --electron-volts --references` makes it.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The checkpoint to write; `sample` and `nll` take it as --run.
    #[arg(long)]
    out: PathBuf,
    /// Replace the file of --out even if it holds something other than weights.
    #[arg(long)]
    force: bool,
}

impl Import {
    pub(crate) fn run(&self) -> Outcome<Value> {
        let inputs = [Some(&self.from), self.args.as_ref(), self.sizes_from.as_ref(), self.data.as_ref()];
        let inputs: Vec<&Path> = inputs.into_iter().flatten().map(PathBuf::as_path).collect();
        let out = Destination::claim(&self.out, Kind::Weights, &inputs, self.force)?;
        let sizes = self.sizes_from.as_deref().map(sizes).transpose()?;
        let set = self.data.as_deref().map(data::load).transpose()?;
        let (arguments, model) = (self.args.as_deref(), self.model.as_deref());
        let import = symdiff_models::Import { from: &self.from, arguments, model, sizes: sizes.as_ref(), set: set.as_ref() };
        let (content, made) = import.converted(&self.out)?;
        out.fill(content)?;
        if !made.assumed.is_empty() {
            tracing::warn!("no args.pickle, so the run is taken for one with {}", made.assumed.join("; "));
        }
        Ok(json!({
            "file": shown(&self.out),
            "model": self.model,
            "args": made.arguments.as_deref().map(shown),
            "assumed": made.assumed,
            "tensors": made.tensors,
            "parameters": made.parameters,
            "padding_compat": made.padding,
            "schedule_drift": made.drift,
            "sizes_from": self.sizes_from.as_deref().map_or_else(|| "published".to_owned(), shown),
        }))
    }
}

fn sizes(path: &Path) -> Outcome<SizeHistogram> {
    let set = data::load(path)?;
    SizeHistogram::new(set.sizes()).ok_or_else(|| Failure::input(format!("{}: holds no molecule", path.display())))
}
