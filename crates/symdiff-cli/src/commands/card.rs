//! `card`: what a file of weights says of itself, for people.

use crate::destination::put;
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
    /// The file to write, such as README.md, which is replaced; stdout when absent.
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Card {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let chosen = Chosen::of(Some(&self.file))?;
        let model = chosen.load(None, &Device::Cpu)?;
        let name = chosen.name();
        let provenance = model.provenance(Path::new(&name))?;
        let file = Path::new(&name).file_name().map_or_else(|| name.clone(), |name| name.to_string_lossy().into_owned());
        let card = model_card::write(&provenance, &model.header, &file);
        match &self.out {
            Some(out) => {
                put(out, &card)?;
                Ok(json!({ "file": shown(out) }))
            }
            None if context.json => Ok(json!({ "card": card })),
            None => {
                context.print(&card)?;
                Ok(Value::Null)
            }
        }
    }
}
