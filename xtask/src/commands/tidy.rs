//! `tidy`: the rules for the code of this project.

use crate::tidy;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use symdiff_cli::{Failure, Outcome};

/// Check the code rules of this project: dependencies between crates, file lengths, panics, ops without test or bench, and more.
#[derive(Args, Debug)]
pub(crate) struct Tidy {
    /// The workspace to check; this one by default.
    #[arg(long)]
    root: Option<PathBuf>,
}

impl Tidy {
    pub(crate) fn run(&self) -> Outcome<Value> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let root = self.root.as_deref().or(here).unwrap_or(Path::new("."));
        let checked =
            tidy::check(root).map_err(|error| Failure::input(format!("{}: cannot read the workspace: {error}", root.display())))?;
        for finding in &checked.findings {
            eprintln!("{finding}");
        }
        match checked.findings.len() {
            0 => Ok(json!({ "files": checked.files, "findings": 0 })),
            1 => Err(Failure::run("one code rule is broken, as listed above")),
            n => Err(Failure::run(format!("{n} code rules are broken, as listed above"))),
        }
    }
}
