//! `card`: what a file of weights says of itself, for people.

use crate::destination::{Destination, Kind};
use crate::failure::Outcome;
use crate::model::Chosen;
use crate::model_card;
use crate::output::{Context, shown};
use candle_core::Device;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  symdiff card mine.safetensors
  symdiff card mine.safetensors --out README.md";

/// Write a model card: Markdown with the front matter of the Hugging Face Hub.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Card {
    /// The file of weights, or the name of weights that are compiled in.
    file: PathBuf,
    /// The file to write, such as README.md; stdout when absent.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replace the file of --out even if it holds something other than a model card.
    #[arg(long, requires = "out")]
    force: bool,
}

impl Card {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let chosen = Chosen::of(Some(&self.file))?;
        let claim = |path| Destination::claim(path, Kind::Card, &chosen.inputs(), self.force);
        let out = self.out.as_deref().map(claim).transpose()?;
        let model = chosen.load(None, None, &Device::Cpu)?;
        let name = chosen.name();
        let provenance = model.provenance(Path::new(&name))?;
        let file = Path::new(&name).file_name().map_or_else(|| name.clone(), |name| name.to_string_lossy().into_owned());
        let card = model_card::write(&provenance, &model.header, &file);
        match out {
            Some(out) => {
                out.fill(&card)?;
                Ok(json!({ "file": self.out.as_deref().map(shown) }))
            }
            None if context.json => Ok(json!({ "card": card })),
            None => {
                context.print(&card)?;
                Ok(Value::Null)
            }
        }
    }
}
