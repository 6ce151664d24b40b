//! `data`: getting, packing, checking and looking at data sets.

use crate::destination::{self, Kind};
use crate::failure::{Failure, Outcome};
use crate::progress::{Progress, transfer};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use symdiff_mol::data::download::{Archive, download};
use symdiff_mol::data::{self, AtomReferences, Half, MoleculeSet, Preparation, SizeHistogram};
use symdiff_mol::element;

/// What a first reader types.
pub(crate) const EXAMPLES: &str = "\
Examples:
  symdiff data inspect mine.sdf
  symdiff data prepare mine.sdf --out mine.safetensors
  symdiff data download qm9 --out data
  symdiff data prepare data/dsgdb9nsd.xyz.tar.bz2 --exclude data/uncharacterized.txt --references data/atomref.txt --out qm9.safetensors";

/// Download, pack, verify and inspect data sets.
#[derive(Subcommand, Debug)]
pub(crate) enum Data {
    /// Download a published data set from its authors' archive; an interrupted download is continued.
    Download {
        /// `qm9` or `geom`.
        name: String,
        /// Folder to put its files into.
        #[arg(long, default_value = "data")]
        out: PathBuf,
    },
    /// Pack a data set into a file that is memory-mapped when opened; an interrupted run is continued.
    Prepare {
        /// The data set, in any format that can be read, or a folder of train.npz, valid.npz and test.npz.
        file: PathBuf,
        /// The packed file, ending in `.safetensors`.
        #[arg(long)]
        out: PathBuf,
        /// Numbers of molecules to leave out: QM9's `uncharacterized.txt`.
        #[arg(long)]
        exclude: Option<PathBuf>,
        /// Energies of free atoms, whose sums per molecule are stored with the properties: QM9's `atomref.txt`.
        #[arg(long)]
        references: Option<PathBuf>,
        /// A permutation that defines the split: GEOM-Drugs' `geom_permutation.npy`.
        #[arg(long)]
        permutation: Option<PathBuf>,
        #[command(flatten)]
        chosen: Chosen,
        /// Replace the file of --out even if it holds something other than a packed set.
        #[arg(long)]
        force: bool,
    },
    /// Read a data set from beginning to end, verify checksums, and report errors.
    Verify {
        /// The data set.
        file: PathBuf,
    },
    /// Count molecules, atoms, elements, sizes and the parts of the published split.
    Inspect {
        /// The data set; the embedded one by default.
        file: Option<PathBuf>,
    },
}

/// Which molecules are kept, and how.
#[derive(Args, Debug)]
pub(crate) struct Chosen {
    /// Leave hydrogens out.
    #[arg(long)]
    without_hydrogens: bool,
    /// Keep only molecules with this number of atoms, or a number in a range such as 12..20. The split is that of all molecules.
    #[arg(long, value_parser = atoms)]
    atoms: Option<RangeInclusive<usize>>,
    /// Reduce the training part to one of its halves, as published conditional models do.
    #[arg(long, value_enum)]
    half: Option<Halves>,
    /// Convert QM9's energies from hartree into electronvolts.
    #[arg(long)]
    electron_volts: bool,
    /// Report molecules that cannot be read and leave them out, where the format shows where the next one begins (SDF, JSON lines, frames, archives).
    #[arg(long)]
    skip_bad: bool,
}

/// Halves of the training part along the published permutation.
#[derive(ValueEnum, Clone, Copy, Debug)]
enum Halves {
    First,
    Second,
}

/// `18` or `12..20`, both ends included.
fn atoms(text: &str) -> Result<RangeInclusive<usize>, String> {
    let (low, high) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| text.trim_start_matches('=').parse::<usize>().ok().filter(|atoms| *atoms > 0);
    let range = number(low).zip(number(high)).filter(|(low, high)| low <= high);
    range.map(|(low, high)| low..=high).ok_or_else(|| "a number of atoms or a range is needed, such as 18 or 12..20".to_owned())
}

impl Data {
    pub(crate) fn run(&self) -> Outcome<Value> {
        match self {
            Self::Download { name, out } => fetch(name, out),
            Self::Prepare { file, out, exclude, references, permutation, chosen, force } => {
                let lists = [exclude, references, permutation].into_iter().flatten();
                let inputs: Vec<&Path> = lists.chain([file]).map(PathBuf::as_path).collect();
                destination::check(out, Kind::Packed, &inputs, *force)?;
                let preparation = Preparation {
                    excluded: exclude.as_deref().map(data::read_exclusions).transpose()?.unwrap_or_default(),
                    references: references.as_deref().map(AtomReferences::read).transpose()?,
                    permutation: permutation.as_deref().map(data::read_permutation).transpose()?,
                    half: chosen.half.map(|half| match half {
                        Halves::First => Half::First,
                        Halves::Second => Half::Second,
                    }),
                    without_hydrogens: chosen.without_hydrogens,
                    electron_volts: chosen.electron_volts,
                    atoms: chosen.atoms.clone(),
                    skip_bad: chosen.skip_bad,
                };
                prepare(file, out, &preparation)
            }
            Self::Verify { file } => verify(file),
            Self::Inspect { file } => inspect(file.as_deref()),
        }
    }
}

fn fetch(name: &str, out: &Path) -> Outcome<Value> {
    let archive = Archive::named(name).ok_or_else(|| Failure::input(format!("`{name}` is no data set to download; use qm9 or geom")))?;
    tracing::info!("licence: {}", archive.licence);
    tracing::info!("please cite: {}", archive.citation);
    let mut files = Vec::new();
    for remote in archive.files {
        let path = download(remote, out, &mut transfer(remote.file))?;
        files.push(path.display().to_string());
    }
    Ok(json!({"data": name, "files": files, "licence": archive.licence, "citation": archive.citation}))
}

fn prepare(file: &Path, out: &Path, preparation: &Preparation) -> Outcome<Value> {
    let progress = Progress::new("packing");
    let packed = data::prepare(file, out, preparation, || progress.advance(1))?;
    Ok(json!({
        "file": out.display().to_string(),
        "molecules": packed.molecules,
        "atoms": packed.atoms,
        "left_out": packed.left_out,
        "skipped": packed.skipped,
    }))
}

fn verify(file: &Path) -> Outcome<Value> {
    let set = data::load(file)?;
    Ok(json!({"file": file.display().to_string(), "sound": true, "molecules": set.len(), "atoms": set.total_atoms()}))
}

/// Root mean square distance of atoms from the centre of their molecule along x, y and z, in angstrom. Where the three differ over many molecules, these lie
/// in a pose, which a model without symmetry learns.
fn spread(set: &MoleculeSet) -> [f64; 3] {
    let mut squares = [0.0; 3];
    for molecule in (0..set.len()).map(|at| set.positions(at)) {
        for (axis, sum) in squares.iter_mut().enumerate() {
            let along = || molecule.iter().map(|position| f64::from(position[axis]));
            let centre = along().sum::<f64>() / molecule.len() as f64;
            *sum += along().map(|value| (value - centre).powi(2)).sum::<f64>();
        }
    }
    squares.map(|sum| (sum / set.total_atoms().max(1) as f64).sqrt())
}

fn inspect(file: Option<&Path>) -> Outcome<Value> {
    let (name, set): (_, Cow<MoleculeSet>) = match file {
        Some(path) => (path.display().to_string(), Cow::Owned(data::load(path)?)),
        None => ("embedded".to_owned(), Cow::Borrowed(data::embedded())),
    };
    let sizes = SizeHistogram::new(set.sizes()).ok_or_else(|| Failure::input(format!("{name}: there is no molecule in it")))?;
    let split = set.split();
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
        "properties": set.properties().keys().collect::<Vec<_>>(),
        "spread": spread(&set),
        "split": {"train": split.train.len(), "valid": split.valid.len(), "test": split.test.len()},
    }))
}
