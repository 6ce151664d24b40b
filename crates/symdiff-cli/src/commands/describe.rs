//! `completions` and `man`: completion scripts and manual pages, made from the definitions of the commands.

use crate::Cli;
use crate::failure::{Failure, Outcome};
use crate::output::{Context, shown};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Print a completion script for a shell: `symdiff completions bash > ~/.local/share/bash-completion/completions/symdiff`.
#[derive(Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

/// Print the manual page (`symdiff man | man -l -`), or write one page per command into a folder.
#[derive(Args)]
pub(crate) struct Man {
    /// Folder to write `symdiff.1`, `symdiff-train.1`, … into.
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Completions {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "symdiff", &mut script);
        printed(context, "script", &script)
    }
}

impl Man {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let Some(folder) = &self.out else {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(Failure::run)?;
            return printed(context, "page", &page);
        };
        let failed = |error| Failure::run(format!("{}: cannot write the manual pages: {error}", folder.display()));
        std::fs::create_dir_all(folder).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
        Ok(json!({ "folder": shown(folder) }))
    }
}

/// The text on stdout, or under a key of the JSON line.
fn printed(context: &Context, key: &str, text: &[u8]) -> Outcome<Value> {
    let text = String::from_utf8_lossy(text);
    if context.json {
        return Ok(json!({ key: text }));
    }
    context.print(&text)?;
    Ok(Value::Null)
}
