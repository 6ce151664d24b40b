//! `evaluate`: chemistry metrics of a file of molecules.

mod all;
mod energies;
mod kept;
mod networks;
mod rows;
mod seen;
mod two;

use super::target::{Computer, Got, Target};
use crate::destination::{Destination, Kind};
use crate::failure::{Failure, Outcome};
use crate::hash;
use crate::output::{Context, shown};
use crate::progress::Progress;
use crate::shard::{self, Shard, Work};
use all::All;
use candle_core::Device;
use clap::{ArgAction, ArgGroup, Args, ValueEnum, value_parser};
use energies::{Energies, Measured, Program};
use kept::KeptPart;
use networks::Networks;
use rows::Rows;
use seen::Seen;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::data::{self, MoleculeSet, Part};
use symdiff_mol::formats;
use symdiff_mol::metrics::{EnergySummary, Input, Profile, Resampling, Xtb, compare, judge_pieces};
use symdiff_ranks::Processes;
use symdiff_train::Ranks;
use two::Comparing;

const EXAMPLES: &str = "\
Examples:
  symdiff evaluate samples.xyz
  symdiff evaluate samples.xyz --all                 Every protocol, each number with its 95 % interval
  symdiff evaluate ours.xyz theirs.xyz               Compare two sets
  symdiff evaluate samples.sdf --protocol geom-revisited --rows rows.jsonl
  symdiff evaluate samples.xyz --reference embedded --reference-part train
  symdiff evaluate asked.sdf --xtb --target given --gallery asked.html    What was asked against what was got
  symdiff evaluate asked.sdf --target given --network runs/gap            The same by a property network, as in EDM's table
  symdiff evaluate completed.sdf --kept fragment.sdf                      Whether kept atoms stayed, and the rest joined them
  symdiff evaluate samples.sdf --xtb --shard 0/4 --out part-0.shard   (and 1/4, 2/4, 3/4, on other machines; `gather` joins them)";

/// Evaluate molecules: stability, validity, uniqueness, novelty, connectivity. Of two files, tell whether they differ by more than chance.
#[derive(Args, Debug, Serialize, Deserialize)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("computer").args(["xtb", "network"]).multiple(true))]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct Evaluate {
    /// Molecules; the format follows from the ending. A second file is compared with the first: by pairs where both have the same names of molecules,
    /// none twice, and by exchanges among all molecules otherwise.
    #[arg(value_name = "FILE", num_args = 0..=2, required_unless_present = "molecules")]
    files: Vec<PathBuf>,
    /// The same as one FILE.
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    molecules: Option<PathBuf>,
    /// The rules for bonds and stability.
    #[arg(long, default_value = "edm-qm9")]
    protocol: Protocol,
    /// Judge by every protocol, with geometry checks, distributions (against the embedded set, unless --reference names another) and, where `xtb` is on PATH,
    /// strain; each number has a 95 % interval over molecules.
    #[arg(long)]
    all: bool,
    /// Data set to compare with, for novelty and distributions: a file, or `embedded`.
    #[arg(long)]
    reference: Option<PathBuf>,
    /// The part of the reference to compare with; all of it when absent.
    #[arg(long, value_enum)]
    reference_part: Option<ReferencePart>,
    /// The number of bootstrap replicates for confidence intervals, at least 40.
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(i64::from(Resampling::LEAST)..))]
    replicates: u32,
    /// The number of exchanges of labels by which two files are compared, at least 40.
    #[arg(long, default_value_t = 2000, value_parser = value_parser!(u32).range(i64::from(Resampling::LEAST)..))]
    exchanges: u32,
    /// Write one JSON object per molecule to this file.
    #[arg(long)]
    #[serde(skip)]
    rows: Option<PathBuf>,
    /// Replace the files of --rows, --gallery and --out even if they hold something else.
    #[arg(long)]
    #[serde(skip)]
    force: bool,
    /// Report molecules that cannot be read and leave them out, where the format shows where the next one begins (SDF, JSON lines, frames, archives).
    #[arg(long)]
    skip_bad: bool,
    /// Compute energy and strain (GFN2-xTB) with the program `xtb`, which must be on PATH.
    #[arg(long)]
    xtb: bool,
    /// Time limit of each run of `xtb` in seconds; there are two runs per molecule.
    #[arg(long, default_value_t = 120.0, value_parser = seconds)]
    xtb_timeout: f64,
    /// Leave out the relaxation, and with it the strain: one short run of `xtb` per molecule.
    #[arg(long, requires = "xtb")]
    xtb_single_point: bool,
    /// Compare what was asked of each molecule with what `xtb` computes, or under --network a property network: `given` takes the values that `sample --given` has kept in the file.
    #[arg(long, value_enum, requires = "computer")]
    target: Option<Target>,
    /// With --target: ask this network in place of `xtb`, a run folder or checkpoint of an experiment with `[property]` (`symdiff train property-gap`). Its errors on real molecules that it did
    /// not learn from stand beside. Once for each property.
    #[arg(long, value_name = "RUN", requires = "target", action = ArgAction::Append)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    network: Vec<PathBuf>,
    /// Write an HTML page of --target: what was asked against what was got, and molecules in the order of what was asked, which can be rotated with the mouse.
    #[arg(long, value_name = "FILE.html", requires = "target")]
    #[serde(skip)]
    gallery: Option<PathBuf>,
    /// Compare the first atoms of each molecule with those of this file, which `sample --keep` was to keep: root mean square and largest distance, without moving anything, and the shares of molecules that are connected and
    /// valid. Twice for the two files of --between.
    #[arg(long, value_name = "FILE", action = ArgAction::Append)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    kept: Vec<PathBuf>,
    /// Run `xtb` on this share of the molecules alone, such as `0/4`, the first of four; `gather` joins them and judges.
    #[arg(long, value_name = "I/N", requires_all = ["xtb", "out"], conflicts_with_all = ["rows", "gallery"])]
    #[serde(skip)]
    shard: Option<Shard>,
    /// With --shard: the shard to write.
    #[arg(long, requires = "shard")]
    #[serde(skip)]
    out: Option<PathBuf>,
}

/// The name of the command in shards.
pub(crate) const NAME: &str = "evaluate";

fn seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|seconds| (0.001..1e6).contains(seconds)).ok_or_else(|| "a number of seconds is needed, such as 60".to_owned())
}

/// Which molecules of the reference count as known.
#[derive(ValueEnum, Clone, Copy, Debug, Serialize, Deserialize)]
enum ReferencePart {
    /// All of them.
    All,
    /// Those that the published split trains on.
    Train,
}

impl Evaluate {
    pub(crate) fn run(&self, context: &Context) -> Outcome<Value> {
        let processes = context.processes(&Device::Cpu)?;
        if let [first, second] = self.files.as_slice() {
            let of_one = self.all
                || self.skip_bad
                || self.xtb_single_point
                || self.target.is_some()
                || self.gallery.is_some()
                || !self.kept.is_empty();
            let referred = self.reference.is_some() || self.reference_part.is_some();
            if of_one || referred || self.rows.is_some() || self.shard.is_some() {
                return Err(Failure::input(
                    "two files are compared with each other; --all, --rows, --reference, --reference-part, --skip-bad, --xtb-single-point, --target, --kept, --gallery and --shard are for one",
                ));
            }
            let program = self.program(processes)?.map(|Program { xtb, .. }| Program { xtb, relaxes: true });
            let energies = program.map(|program| Energies::new(program, processes));
            let (exchanges, draw) = (self.exchanges, self.resampling(context.seed()));
            return Comparing { protocol: self.protocol, energies, exchanges, draw }.compare(context, first, second);
        }
        if let (Some(shard), Some(out)) = (self.shard, &self.out) {
            return self.share(context, processes, shard, out);
        }
        // One process writes.
        let writes = processes.rank() == 0;
        let rows = self.rows.as_deref().filter(|_| writes).map(|path| self.create(path)).transpose()?;
        let page = self.gallery.as_deref().filter(|_| writes);
        let page = page.map(|page| Destination::claim(page, Kind::Page, &self.inputs(), self.force)).transpose()?;
        let energies = self.program(processes)?.map(|program| Energies::new(program, processes));
        let (summary, seen) = self.judged(context, context.seed(), energies, rows)?;
        if let Some(page) = page {
            page.fill(&seen.targets.page(self.path(), self.protocol)?)?;
        }
        Ok(summary)
    }

    /// Runs `xtb` on a share of the molecules, and writes what it says.
    fn share(&self, context: &Context, processes: &Processes, shard: Shard, path: &Path) -> Outcome<Value> {
        if processes.size() > 1 {
            return Err(Failure::input("--shard divides the work of processes that nothing joins; leave it out under mpirun"));
        }
        let out = Destination::claim(path, Kind::Shard, &self.inputs(), self.force)?;
        let program = self.program(processes)?.ok_or_else(|| Failure::input("--shard divides the runs of `xtb`; add --xtb"))?;
        let options = serde_json::to_value(self).map_err(Failure::run)?;
        let options = options.as_object().cloned().unwrap_or_default();
        let more = [("seed", json!(context.seed())), ("content", json!(self.content()?))];
        let work = Work::new(NAME, options.into_iter().chain(more.map(|(key, value)| (key.to_owned(), value))));
        let progress = Progress::new("xtb");
        let (mut lines, mut before) = (String::new(), 0);
        judge_pieces(self.input(&Arc::default())?, self.protocol, |molecules, _| {
            lines += &program.lines(molecules, before, shard.0, &progress)?;
            before += molecules.len();
            Ok::<(), Failure>(())
        })?;
        let molecules = lines.lines().count();
        shard::write(out, path, shard, work, &lines)?;
        Ok(json!({ "file": shown(path), "molecules": molecules }))
    }

    /// Judges the molecules.
    fn judged(&self, context: &Context, seed: u64, mut xtb: Option<Energies>, mut rows: Option<Rows>) -> Outcome<(Value, Seen)> {
        if self.reference().is_none() && self.reference_part.is_some() {
            return Err(Failure::input(
                "--reference-part is a part of the data set that --reference names; name one, such as --reference embedded",
            ));
        }
        let reference = self.reference().map(|path| self.known(path)).transpose()?;
        let mut seen = Seen::default();
        let networks = (!self.network.is_empty()).then(|| Networks::load(&self.network, &context.device()?)).transpose()?;
        let mut all = self.all.then(|| All::new(self.protocol));
        let mut kept = (!self.kept.is_empty()).then(|| KeptPart::read(&self.kept)).transpose()?;
        let progress = Progress::new("judging");
        let skipped = Arc::new(AtomicUsize::new(0));
        judge_pieces(self.input(&skipped)?, self.protocol, |molecules, verdicts| {
            let measured = xtb.as_mut().map(|xtb| xtb.of(molecules, &progress)).transpose()?;
            progress.advance(if xtb.is_some() { 0 } else { molecules.len() as u64 });
            seen.observe(molecules, verdicts, self.protocol, reference.is_some())?;
            let got: Option<Vec<Got>> = match (&networks, &measured) {
                (Some(networks), _) => Some(networks.of(molecules)?),
                (None, measured) => measured.as_ref().map(|measured| measured.iter().map(Measured::got).collect()),
            };
            if let (Some(_), Some(got)) = (self.target, &got) {
                let computer = if networks.is_some() { Computer::Networks } else { Computer::Xtb };
                seen.targets.observe(molecules, verdicts, got, computer)?;
            }
            if let Some(kept) = &mut kept {
                kept.observe(molecules, verdicts);
            }
            if let Some(all) = &mut all {
                all.observe(molecules, verdicts);
            }
            if let Some(rows) = &mut rows {
                rows.write_all(molecules, verdicts, measured.as_deref(), got.as_deref())?;
            }
            let energies = measured.unwrap_or_default().into_iter().map(|measured| measured.energy);
            seen.energies.extend(molecules.iter().map(Molecule::len).zip(energies));
            Ok::<(), Failure>(())
        })?;
        let known = reference.as_ref().map(|(smiles, _)| smiles);
        let (Some(summary), Some(geometry)) = (seen.tally.summary(known), seen.checks.rates()) else {
            let path = self.path().display();
            return Err(Failure::input(format!("{path}: the file holds no molecule; write at least one")));
        };
        if let Some(rows) = rows {
            rows.finish()?;
        }
        let distributions = reference.as_ref().map(|(_, profile)| compare(&seen.profile, profile, self.replicates, seed));
        let mut summary = serde_json::to_value(summary).map_err(Failure::run)?;
        summary["geometry"] = json!(geometry);
        summary["distributions"] = json!(distributions);
        if let Some(kept) = kept {
            summary["kept"] = kept.summary();
        }
        if self.skip_bad {
            summary["skipped"] = json!(skipped.load(Ordering::Relaxed));
        }
        if xtb.is_some() && !self.xtb_single_point {
            summary["energy"] = json!(EnergySummary::of(&seen.energies));
        }
        if self.target.is_some() {
            let targets = seen.targets.summary()?;
            summary["target"] = match networks {
                Some(networks) => networks.summary(targets)?,
                None => json!(targets),
            };
        }
        if let Some(all) = all {
            all.report(&seen, known, self.resampling(seed), &mut summary);
            if !context.json {
                context.print(&all::table(&summary))?;
            }
        }
        Ok((summary, seen))
    }

    /// The one file, or the first.
    fn path(&self) -> &Path {
        self.files.first().or(self.molecules.as_ref()).map_or(Path::new(""), PathBuf::as_path)
    }

    /// A hash of its content.
    fn content(&self) -> Outcome<String> {
        hash::of_file(self.path()).map_err(|error| Failure::file(self.path(), "read it", &error))
    }

    /// What samples are compared with.
    fn reference(&self) -> Option<&Path> {
        self.reference.as_deref().or_else(|| self.all.then(|| Path::new("embedded")))
    }

    /// The program that computes energies: asked for, or there under `--all`.
    fn program(&self, processes: &Processes) -> Outcome<Option<Program>> {
        let find = || Xtb::find("xtb", Duration::from_secs_f64(self.xtb_timeout));
        let found = match (self.xtb, self.all) {
            (true, _) => Some(find()?),
            (false, true) => {
                let found = find().ok();
                let everywhere = processes.gather(&[u8::from(found.is_some())]).map_err(Failure::from)?;
                found.filter(|_| everywhere.iter().all(|there| there == &[1]))
            }
            (false, false) => None,
        };
        Ok(found.map(|xtb| Program { xtb, relaxes: !self.xtb_single_point }))
    }

    fn resampling(&self, seed: u64) -> Resampling {
        Resampling { replicates: self.replicates, seed }
    }

    /// The molecules, without those that are skipped, which the log reports and the counter counts.
    fn input(&self, skipped: &Arc<AtomicUsize>) -> Outcome<Input<'_>> {
        let path = self.path();
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

    /// What is read.
    fn inputs(&self) -> Vec<&Path> {
        let more = self.network.iter().chain(&self.kept).map(PathBuf::as_path);
        [Some(self.path()), self.reference.as_deref()].into_iter().flatten().chain(more).collect()
    }

    /// The file of rows, which is no input of this command.
    fn create(&self, path: &Path) -> Outcome<Rows> {
        let destination = Destination::claim(path, Kind::Rows, &self.inputs(), self.force)?;
        Ok(Rows { path: path.to_owned(), destination })
    }

    /// SMILES and features of the reference.
    fn known(&self, path: &Path) -> Outcome<(HashSet<String>, Profile)> {
        let chosen: Option<Cow<MoleculeSet>> = match (path.as_os_str() == "embedded", self.reference_part.unwrap_or(ReferencePart::All)) {
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

fn training(path: &Path, set: &MoleculeSet) -> Outcome<MoleculeSet> {
    set.part(Part::Train).map_err(|fault| Failure::input(format!("{}: {fault}", path.display())))
}

/// The result of shards.
///
/// # Errors
/// [`Failure::Input`] where the molecules have changed since the shards were made.
pub(crate) fn joined(work: &Work, lines: &str, context: &Context) -> Outcome<Value> {
    let evaluate: Evaluate = work.options()?;
    let path = evaluate.path();
    if json!(evaluate.content()?) != *work.setting("content") {
        return Err(Failure::input(format!("{} has changed since its shards were made; make them again", path.display())));
    }
    let seed = work.setting("seed").as_u64().unwrap_or(0);
    evaluate.judged(context, seed, Some(Energies::of_shards(lines)?), None).map(|(summary, _)| summary)
}
