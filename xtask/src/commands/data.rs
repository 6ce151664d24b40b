//! `data`: what a data set holds.

use crate::failure::{Failure, Outcome};
use clap::Subcommand;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::path::PathBuf;
use symdiff_mol::data::{self, MoleculeSet, SizeHistogram, Split};
use symdiff_mol::element;

/// Work with data sets.
#[derive(Subcommand, Debug)]
pub(crate) enum Data {
    /// Count molecules, atoms, elements, sizes and the parts of the published split.
    Inspect {
        /// The data set; the embedded one by default.
        file: Option<PathBuf>,
    },
}

impl Data {
    pub(crate) fn run(&self) -> Outcome<Value> {
        match self {
            Self::Inspect { file } => inspect(file.as_deref()),
        }
    }
}

fn inspect(file: Option<&std::path::Path>) -> Outcome<Value> {
    let (name, set): (_, Cow<MoleculeSet>) = match file {
        Some(path) => (path.display().to_string(), Cow::Owned(data::load(path)?)),
        None => ("embedded".to_owned(), Cow::Borrowed(data::embedded())),
    };
    let sizes = SizeHistogram::new(set.sizes()).ok_or_else(|| Failure::input(format!("{name}: there is no molecule in it")))?;
    let split = Split::published(set.len());
    let mut counts = [0_u64; 256];
    for z in set.all_atomic_numbers() {
        counts[usize::from(*z)] += 1;
    }
    let elements: Map<String, Value> = (1..=118)
        .filter(|z| counts[usize::from(*z)] > 0)
        .filter_map(|z| Some((element::symbol(z)?.to_owned(), counts[usize::from(z)].into())))
        .collect();
    Ok(json!({
        "file": name,
        "molecules": set.len(),
        "atoms": set.total_atoms(),
        "mean_atoms": sizes.mean(),
        "smallest": sizes.counts()[0].0,
        "largest": sizes.largest(),
        "elements": elements,
        "sizes": sizes.counts(),
        "split": {"train": split.train.len(), "valid": split.valid.len(), "test": split.test.len()},
    }))
}
