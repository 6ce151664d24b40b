//! `evaluate`: chemistry metrics of a file of molecules.

use super::target::{Target, Targets, asked};
use crate::destination::{Destination, Kind};
use crate::failure::{Failure, Outcome};
use crate::output::Context;
use crate::progress::Progress;
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::{Protocol, Verdict};
use symdiff_mol::data::{self, MoleculeSet, Part};
use symdiff_mol::formats;
use symdiff_mol::metrics::{CheckTally, Energy, EnergySummary, Input, Profile, SinglePoint, Tally, Xtb, compare, judge_pieces};

const EXAMPLES: &str = "\
Examples:
  symdiff evaluate --molecules samples.xyz
  symdiff evaluate --molecules samples.sdf --protocol geom-revisited --rows rows.jsonl
  symdiff evaluate --molecules samples.xyz --reference embedded --reference-part train";

/// Evaluate molecules: stability, validity, uniqueness, novelty, connectivity.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Evaluate {
    /// Molecules; the format follows from the ending.
    #[arg(long)]
    molecules: PathBuf,
    /// The rules for bonds and stability.
    #[arg(long, default_value = "edm-qm9")]
    protocol: Protocol,
    /// Data set to compare with, for novelty and distributions: a file, or `embedded`.
    #[arg(long)]
    reference: Option<PathBuf>,
    /// The part of the reference to compare with.
    #[arg(long, value_enum, default_value = "all")]
    reference_part: ReferencePart,
    /// The number of bootstrap replicates for the confidence intervals of the distribution metrics.
    #[arg(long, default_value_t = 200)]
    replicates: u32,
    /// Write one JSON object per molecule to this file.
    #[arg(long)]
    rows: Option<PathBuf>,
    /// Replace the file of --rows even if it holds something else.
    #[arg(long, requires = "rows")]
    force: bool,
    /// Report molecules that cannot be read and leave them out, where the format shows where the next one begins (SDF, JSON lines, frames, archives).
    #[arg(long)]
    skip_bad: bool,
    /// Compute energy and strain (GFN2-xTB) with the program `xtb`, which must be on PATH.
    #[arg(long)]
    xtb: bool,
    /// Time limit of each run of `xtb` in seconds; there are two runs per molecule.
    #[arg(long, default_value_t = 120.0, value_parser = seconds, requires = "xtb")]
    xtb_timeout: f64,
    /// Leave out the relaxation, and with it the strain: one short run of `xtb` per molecule.
    #[arg(long, requires = "xtb")]
    xtb_single_point: bool,
    /// Compare what was asked of each molecule with what `xtb` computes: `given` takes the values that `sample --given` has kept in the file.
    #[arg(long, value_enum, requires = "xtb")]
    target: Option<Target>,
}

fn seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|seconds| (0.001..1e6).contains(seconds)).ok_or_else(|| "a number of seconds is needed, such as 60".to_owned())
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
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let patience = Duration::from_secs_f64(self.xtb_timeout);
        let mut rows = self.rows.as_deref().map(|path| self.create(path)).transpose()?;
        let xtb = self.xtb.then(|| Xtb::find("xtb", patience)).transpose()?;
        let reference = self.reference.as_deref().map(|path| self.known(path)).transpose()?;
        let mut seen = Seen::default();
        let progress = Progress::new("judging");
        let skipped = Arc::new(AtomicUsize::new(0));
        judge_pieces(self.input(&skipped)?, self.protocol, |molecules, verdicts| {
            let measured = xtb.as_ref().map(|xtb| measure(xtb, molecules, !self.xtb_single_point, &progress));
            progress.advance(if xtb.is_some() { 0 } else { molecules.len() as u64 });
            seen.observe(molecules, verdicts, self.protocol, reference.is_some())?;
            if let (Some(_), Some(measured)) = (self.target, &measured) {
                let points: Vec<Option<SinglePoint>> = measured.iter().map(|measured| measured.point).collect();
                seen.targets.observe(molecules, verdicts, &points)?;
            }
            if let Some(rows) = &mut rows {
                rows.write_all(molecules, verdicts, measured.as_deref())?;
            }
            let energies = measured.unwrap_or_default().into_iter().map(|measured| measured.energy);
            seen.energies.extend(molecules.iter().map(Molecule::len).zip(energies));
            Ok::<(), Failure>(())
        })?;
        let known = reference.as_ref().map(|(smiles, _)| smiles);
        let (Some(summary), Some(geometry)) = (seen.tally.summary(known), seen.checks.rates()) else {
            let path = self.molecules.display();
            return Err(Failure::input(format!("{path}: the file holds no molecule; write at least one")));
        };
        if let Some(rows) = rows {
            rows.finish()?;
        }
        let distributions = reference.map(|(_, profile)| compare(&seen.profile, &profile, self.replicates, context.seed() as u32));
        let mut summary = serde_json::to_value(summary).map_err(Failure::run)?;
        summary["geometry"] = json!(geometry);
        summary["distributions"] = json!(distributions);
        if self.skip_bad {
            summary["skipped"] = json!(skipped.load(Ordering::Relaxed));
        }
        if self.xtb && !self.xtb_single_point {
            summary["energy"] = json!(EnergySummary::of(&seen.energies));
        }
        if self.target.is_some() {
            summary["target"] = seen.targets.summary()?;
        }
        Ok(summary)
    }

    /// The molecules, without those that are skipped, which the log reports and the counter counts.
    fn input(&self, skipped: &Arc<AtomicUsize>) -> Outcome<Input<'_>> {
        let path = self.molecules.as_path();
        if !self.skip_bad {
            return Ok(Input::File(path));
        }
        let count = Arc::clone(skipped);
        let molecules = formats::open_skipping(path, move |why| {
            count.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("{why}; this molecule is skipped");
        })?;
        Ok(Input::Open(path, molecules))
    }

    /// The file of rows, which is no input of this command.
    fn create(&self, path: &Path) -> Outcome<Rows> {
        let inputs: Vec<&Path> = [Some(&self.molecules), self.reference.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
        let destination = Destination::claim(path, Kind::Rows, &inputs, self.force)?;
        Ok(Rows { path: path.to_owned(), destination })
    }

    /// SMILES and features of the reference.
    fn known(&self, path: &Path) -> Outcome<(HashSet<String>, Profile)> {
        let chosen: Option<Cow<MoleculeSet>> = match (path.as_os_str() == "embedded", self.reference_part) {
            (false, ReferencePart::All) => None,
            (true, ReferencePart::All) => Some(Cow::Borrowed(data::embedded())),
            (true, ReferencePart::Train) => Some(Cow::Owned(training(path, data::embedded())?)),
            (false, ReferencePart::Train) => Some(Cow::Owned(training(path, &data::load(path)?)?)),
        };
        let input = chosen.as_deref().map_or(Input::File(path), Input::Set);
        let mut seen = Seen::default();
        let progress = Progress::new("reading the reference");
        judge_pieces(input, self.protocol, |molecules, verdicts| {
            progress.advance(molecules.len() as u64);
            seen.observe(molecules, verdicts, self.protocol, true)
        })?;
        if seen.profile.molecules() == 0 {
            return Err(Failure::input(format!("{}: the reference holds no molecule; write at least one", path.display())));
        }
        Ok((seen.tally.into_smiles(), seen.profile))
    }
}

/// What `xtb` says of a molecule; `None` where it failed.
struct Measured {
    point: Option<SinglePoint>,
    /// In hartree; where molecules are relaxed, of those alone that could be.
    total: Option<f64>,
    energy: Option<Energy>,
}

/// Properties of molecules, and energies where they are to be relaxed, computed on all threads; the log says why one is missing.
fn measure(xtb: &Xtb, molecules: &[Molecule], relaxes: bool, progress: &Progress) -> Vec<Measured> {
    let one = |molecule: &Molecule| {
        let told = |why: &String| tracing::warn!("{}: xtb {why}", molecule.name());
        let point = xtb.point(molecule).inspect_err(told).ok();
        let energy = point.filter(|_| relaxes).and_then(|point| xtb.relaxed(molecule, &point).inspect_err(told).ok());
        progress.advance(1);
        let total = if relaxes { energy.map(|energy| energy.energy) } else { point.map(|point| point.energy) };
        Measured { point, total, energy }
    };
    molecules.par_iter().map(one).collect()
}

fn training(path: &Path, set: &MoleculeSet) -> Outcome<MoleculeSet> {
    set.part(Part::Train).map_err(|fault| Failure::input(format!("{}: {fault}", path.display())))
}

/// All that is counted about a set of molecules.
#[derive(Default)]
struct Seen {
    tally: Tally,
    checks: CheckTally,
    profile: Profile,
    /// Atoms and energy of each molecule.
    energies: Vec<(usize, Option<Energy>)>,
    targets: Targets,
}

impl Seen {
    fn observe(&mut self, molecules: &[Molecule], verdicts: &[Verdict], protocol: Protocol, compared: bool) -> Outcome<()> {
        for verdict in verdicts {
            self.tally.observe(verdict);
        }
        self.checks.observe(molecules, protocol).map_err(Failure::input)?;
        if compared {
            self.profile.observe(molecules);
        }
        Ok(())
    }
}

/// A line: the verdict, and the results of `xtb` with `--xtb`.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    verdict: &'a Verdict,
    #[serde(flatten)]
    measured: Option<Numbers<'a>>,
}

/// What `xtb` says of a molecule, null where it failed: energy in hartree, strain in kcal/mol, and of each property that was asked for `[asked, got]`.
#[derive(Serialize)]
struct Numbers<'a> {
    energy: Option<f64>,
    strain: Option<f64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    target: BTreeMap<&'a str, [Option<f64>; 2]>,
}

/// The file of one line per molecule.
struct Rows {
    path: PathBuf,
    destination: Destination,
}

impl Rows {
    /// One line per molecule, with energies under `--xtb`.
    fn write_all(&mut self, molecules: &[Molecule], verdicts: &[Verdict], measured: Option<&[Measured]>) -> Outcome<()> {
        for (at, verdict) in verdicts.iter().enumerate() {
            let measured = measured.map(|measured| {
                let Measured { point, total, energy } = &measured[at];
                let of = |(name, value)| (name, [Some(value), point.and_then(|point| point.property(name))]);
                let target = asked(&molecules[at]).map(of).collect();
                Numbers { energy: *total, strain: energy.map(|energy| energy.strain), target }
            });
            let row = Row { verdict, measured };
            let mut line = serde_json::to_string(&row).map_err(Failure::run)?;
            line.push('\n');
            self.destination.write_all(line.as_bytes()).map_err(|error| Failure::file(&self.path, "write to it", &error))?;
        }
        Ok(())
    }

    fn finish(self) -> Outcome<()> {
        self.destination.finish()
    }
}
