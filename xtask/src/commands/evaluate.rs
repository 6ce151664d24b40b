//! `evaluate`: chemistry metrics of a file of molecules.

use crate::failure::{Failure, Outcome};
use clap::Args;
use serde_json::Value;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::metrics::{Tally, judge_file};

/// Judge molecules: stability, validity, uniqueness, novelty, connectivity.
#[derive(Args, Debug)]
pub(crate) struct Evaluate {
    /// Molecules; the format follows from the ending.
    #[arg(long)]
    molecules: PathBuf,
    /// Rules to judge by.
    #[arg(long, default_value = "edm-qm9")]
    protocol: Protocol,
    /// Write one JSON object a molecule to this file.
    #[arg(long)]
    rows: Option<PathBuf>,
}

impl Evaluate {
    pub(crate) fn run(&self) -> Outcome<Value> {
        let mut rows = self.rows.as_deref().map(Rows::create).transpose()?;
        let mut tally = Tally::default();
        judge_file(&self.molecules, self.protocol, |verdict| {
            tally.observe(verdict);
            rows.as_mut().map_or(Ok(()), |rows| rows.write(verdict))
        })?;
        if let Some(rows) = rows {
            rows.finish()?;
        }
        let summary = tally.summary().ok_or_else(|| {
            let path = self.molecules.display();
            Failure::input(format!("{path}: the file holds no molecule; write at least one"))
        })?;
        serde_json::to_value(summary).map_err(Failure::run)
    }
}

/// The file of one line a molecule.
struct Rows<'a> {
    path: &'a std::path::Path,
    out: BufWriter<File>,
}

impl<'a> Rows<'a> {
    fn create(path: &'a std::path::Path) -> Outcome<Self> {
        let file = File::create(path).map_err(|error| Failure::input(format!("{}: cannot create it: {error}", path.display())))?;
        Ok(Self { path, out: BufWriter::new(file) })
    }

    fn write(&mut self, row: &impl serde::Serialize) -> Outcome<()> {
        serde_json::to_writer(&mut self.out, row).map_err(|error| self.failure(&error))?;
        self.out.write_all(b"\n").map_err(|error| self.failure(&error))
    }

    fn finish(mut self) -> Outcome<()> {
        self.out.flush().map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::run(format!("{}: cannot write to it: {error}", self.path.display()))
    }
}
