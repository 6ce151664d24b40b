//! `evaluate`: chemistry metrics of a file of molecules.

use crate::failure::{Failure, Outcome};
use crate::progress::Progress;
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use symdiff_mol::chemistry::{Protocol, Verdict};
use symdiff_mol::data::{self, Split};
use symdiff_mol::metrics::{Tally, judge_file, judge_set};

/// Judge molecules: stability, validity, uniqueness, novelty, connectivity.
#[derive(Args, Debug)]
pub(crate) struct Evaluate {
    /// Molecules; the format follows from the ending.
    #[arg(long)]
    molecules: PathBuf,
    /// Rules to judge by.
    #[arg(long, default_value = "edm-qm9")]
    protocol: Protocol,
    /// Data set whose molecules are not novel: a file, or `embedded`.
    #[arg(long)]
    reference: Option<PathBuf>,
    /// Which of its molecules count.
    #[arg(long, value_enum, default_value = "all")]
    reference_part: ReferencePart,
    /// Write one JSON object a molecule to this file.
    #[arg(long)]
    rows: Option<PathBuf>,
}

/// Which molecules of the reference count as known.
#[derive(ValueEnum, Clone, Copy, Debug)]
enum ReferencePart {
    /// All of them.
    All,
    /// Those that the published split trains on.
    Train,
}

impl Evaluate {
    pub(crate) fn run(&self) -> Outcome<Value> {
        let reference = self.reference_smiles()?;
        let mut rows = self.rows.as_deref().map(Rows::create).transpose()?;
        let mut tally = Tally::default();
        let progress = Progress::new("judging");
        judge_file(&self.molecules, self.protocol, |verdict| {
            progress.advance(1);
            tally.observe(verdict);
            rows.as_mut().map_or(Ok(()), |rows| rows.write(verdict))
        })?;
        if let Some(rows) = rows {
            rows.finish()?;
        }
        let summary = tally.summary(reference.as_ref()).ok_or_else(|| {
            let path = self.molecules.display();
            Failure::input(format!("{path}: the file holds no molecule; write at least one"))
        })?;
        serde_json::to_value(summary).map_err(Failure::run)
    }

    fn reference_smiles(&self) -> Outcome<Option<HashSet<String>>> {
        let Some(path) = &self.reference else {
            return Ok(None);
        };
        let mut tally = Tally::default();
        let progress = Progress::new("reading the reference");
        let mut tell = |verdict: &Verdict| {
            progress.advance(1);
            tally.observe(verdict);
            Ok::<(), Failure>(())
        };
        let embedded = path.as_os_str() == "embedded";
        match self.reference_part {
            ReferencePart::All if !embedded => judge_file(path, self.protocol, &mut tell)?,
            part => {
                let set = if embedded { Cow::Borrowed(data::embedded()) } else { Cow::Owned(data::load(path)?) };
                let chosen = match part {
                    ReferencePart::All => set,
                    ReferencePart::Train => Cow::Owned(set.select(&Split::published(set.len()).train)),
                };
                judge_set(&chosen, self.protocol, &mut tell)?;
            }
        }
        Ok(Some(tally.into_smiles()))
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
