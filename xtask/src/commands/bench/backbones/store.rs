//! Measurements on disk, one per line, so that an interrupted run loses at most the current one.

use super::cell::Cell;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use symdiff_cli::{Failure, Outcome};

/// What is measured so far.
pub(super) struct Store {
    path: PathBuf,
    file: File,
    lines: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    cell: Cell,
    result: Value,
}

impl Store {
    /// Opens a file, or starts it. One that exists is kept only on demand (`resume`), and of it all but the line that an interruption cut short.
    pub(super) fn open(path: &Path, resume: bool) -> Outcome<Self> {
        if path.exists() && !resume {
            return Err(Failure::input(format!("{} holds measurements already; add --resume or choose another --out", path.display())));
        }
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(|error| cannot(path, "write", &error))?;
        let text = std::fs::read_to_string(path).map_err(|error| cannot(path, "read", &error))?;
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let mut store = Self { path: path.to_owned(), file, lines };
        if !text.is_empty() && !text.ends_with('\n') {
            store.write("")?;
        }
        Ok(store)
    }

    /// The result of a measurement, or the note that stands in its place.
    pub(super) fn get(&self, cell: &Cell) -> Option<&Value> {
        self.lines.iter().find(|line| line.cell == *cell).map(|line| &line.result)
    }

    /// Adds a result. A note is for this run alone: another may have more memory.
    pub(super) fn put(&mut self, cell: Cell, result: Value) -> Outcome<()> {
        let line = Line { cell, result };
        if line.result["note"].is_null() {
            self.write(&serde_json::to_string(&line).map_err(Failure::run)?)?;
        }
        self.lines.push(line);
        Ok(())
    }

    fn write(&mut self, line: &str) -> Outcome<()> {
        writeln!(self.file, "{line}").map_err(|error| cannot(&self.path, "write", &error))
    }
}

fn cannot(path: &Path, what: &str, error: &std::io::Error) -> Failure {
    Failure::run(format!("{}: cannot {what} it: {error}", path.display()))
}
