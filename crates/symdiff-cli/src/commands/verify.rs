//! `verify`: whether a file of weights is what it says.

use crate::failure::{Failure, Outcome};
use crate::model::Chosen;
use crate::output::Context;
use crate::progress::stages;
use clap::{Args, value_parser};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use symdiff_models::weights::{Agreement, Provenance};
use symdiff_models::{Experiment, Trained};
use symdiff_mol::data::{self, MoleculeSet};
use symdiff_mol::metrics::Resampling;
use symdiff_train::Precision;

const EXAMPLES: &str = "\
Examples:
  symdiff verify mine.safetensors
  symdiff verify mine.safetensors --data qm9.safetensors --scores";

/// Check a file of weights: its checksums, with --data what it learned from, with --scores what it scores.
///
/// Scores are computed anew from other draws and must agree within four standard errors of the difference. The likelihood is that of the same molecules, so its
/// error is that of the draws alone.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    /// The file, or the name of weights that are compiled in.
    file: PathBuf,
    /// Compare this data set with the one that the weights come from: a file, or `embedded`.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Draw as many molecules as the recorded scores come from, and compare scores.
    #[arg(long)]
    scores: bool,
    /// The number of bootstrap replicates for confidence intervals, at least 40.
    #[arg(long, default_value_t = 1000, value_parser = value_parser!(u32).range(i64::from(Resampling::LEAST)..))]
    replicates: u32,
}

impl Verify {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let chosen = Chosen::of(Some(&self.file))?;
        // All checksums are compared here.
        let model = chosen.load(None, Some(Precision::F32), &context.device()?)?;
        let place = PathBuf::from(chosen.name());
        let provenance = model.provenance(&place)?;
        let set = self.data.as_deref().map(load).transpose()?;
        if let Some((path, set)) = self.data.as_deref().zip(set.as_ref()) {
            let refused = |why: String| Failure::input(format!("{}: {why}", path.display()));
            provenance.data.recognise(set).map_err(refused)?;
        }
        let scores = if self.scores { Some(self.anew(context, &model, &provenance, set)?) } else { None };
        let wrong = scores.iter().flatten().find(|row| !row.agrees);
        if let Some(Agreement { score, recorded, found, standard_error, .. }) = wrong {
            return Err(Failure::input(format!(
                "{}: it says {score} {recorded:.4}, and {found:.4} was found (standard error of the difference {standard_error:.4})",
                place.display()
            )));
        }
        if let Some(rows) = scores.as_deref().filter(|_| !context.json) {
            context.print(&table(rows))?;
        }
        Ok(json!({
            "file": chosen.name(),
            "sound": true,
            "name": provenance.name,
            "licence": provenance.licence,
            "parameters": provenance.parameters,
            "steps": model.header.step,
            "data": if self.data.is_some() { "the same" } else { "not compared" },
            "scores": scores,
        }))
    }

    /// Every recorded score beside the same from other draws.
    fn anew(&self, context: &Context, model: &Trained, provenance: &Provenance, set: Option<MoleculeSet>) -> Outcome<Vec<Agreement>> {
        let Some(recorded) = &provenance.scores else {
            return Err(Failure::input(format!("{}: no scores are recorded in it; `export` records them", self.file.display())));
        };
        let set = match (set, &recorded.nll) {
            (Some(set), _) => set,
            (None, None) => data::embedded().clone(),
            (None, Some(_)) => self.usual(model, provenance)?,
        };
        let seed = context.seed.unwrap_or(recorded.seed.wrapping_add(1));
        let found = model.scored(&recorded.scoring(seed, self.replicates)?, &set, &mut stages())?;
        Ok(recorded.beside(&found))
    }

    /// The embedded set, where the weights come from it.
    fn usual(&self, model: &Trained, provenance: &Provenance) -> Outcome<MoleculeSet> {
        let embedded = Experiment::parse(&model.header.record.description, &[])?.data.path.is_none();
        let set = Some(data::embedded()).filter(|set| embedded && provenance.data.recognise(set).is_ok());
        let missing = || {
            let (file, name) = (self.file.display(), &provenance.data.name);
            Failure::input(format!("{file}: a likelihood is recorded, whose molecules are needed; name the data set ({name}) with --data"))
        };
        set.cloned().ok_or_else(missing)
    }
}

fn load(path: &Path) -> Outcome<MoleculeSet> {
    Ok(if path.as_os_str() == "embedded" { data::embedded().clone() } else { data::load(path)? })
}

fn table(rows: &[Agreement]) -> String {
    let mut text = format!("{:<20} {:>10} {:>10} {:>10}\n", "", "recorded", "found", "± of both");
    for Agreement { score, recorded, found, standard_error, .. } in rows {
        let _ = writeln!(text, "{score:<20} {recorded:>10.4} {found:>10.4} {standard_error:>10.4}");
    }
    text
}
