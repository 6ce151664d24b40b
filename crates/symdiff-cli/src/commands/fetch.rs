//! `fetch`: a file of the Hugging Face Hub.

use crate::failure::{Failure, Outcome};
use crate::output::shown;
use crate::progress::transfer;
use clap::Args;
use serde_json::{Value, json};
use symdiff_mol::data::download::{Hub, HubFile};

const EXAMPLES: &str = "\
Examples:
  symdiff fetch hf:OWNER/REPO/model.safetensors
  symdiff fetch hf:OWNER/REPO@v1/model.safetensors --sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
  HF_HUB_OFFLINE=1 symdiff fetch hf:OWNER/REPO/model.safetensors

Environment: HF_HOME or HF_HUB_CACHE (where files are kept), HF_ENDPOINT (the server), HF_HUB_OFFLINE=1 (use what is there).";

/// Fetch a file from the Hugging Face Hub, unless it is there, and print its place. An interrupted transfer is continued; the SHA-256 must be the published one.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Fetch {
    /// `hf:OWNER/REPO/FILE`, or `hf:OWNER/REPO@REVISION/FILE`.
    file: HubFile,
    /// Refuse any other file than the one with this SHA-256.
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    sha256: Option<String>,
}

fn sha256(text: &str) -> Result<String, String> {
    let known = text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit());
    known.then(|| text.to_lowercase()).ok_or_else(|| "64 hexadecimal digits are needed".to_owned())
}

impl Fetch {
    pub(crate) fn run(&self) -> Outcome<Value> {
        let hub = Hub::of(|name| std::env::var(name).ok());
        let path = hub.fetch(&self.file, self.sha256.as_deref(), &mut transfer("fetching"))?;
        let bytes = path.metadata().map_err(|error| Failure::file(&path, "read it", &error))?.len();
        Ok(json!({ "file": shown(&path), "bytes": bytes }))
    }
}
