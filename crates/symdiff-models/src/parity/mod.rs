//! Agreement with the reference implementation, file by file.
//!
//! A golden file holds weights, inputs with every random draw, and results computed in f64. Each kind of file has a case here that computes the
//! same results with this project's own parts; a file passes when every result agrees within the tolerance that its header states. Sizes and
//! hyper-parameters come from the header, so a folder of other sizes runs unchanged.

mod block;
mod compare;
mod counts;
mod dynamics;
mod golden;
mod gradients;
mod likelihood;
mod loss;
mod model;
mod optimiser;
mod orthogonal;
mod pairs;
mod sampling;
mod schedule;
mod split;

pub use compare::FileReport;

use crate::{Error, Result};
use candle_core::{Device, Tensor};
use golden::Golden;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Results by the names they have in the file: `out.NAME`, `grad.NAME`. Nodes are packed, `[N, C]`.
type Results = BTreeMap<String, Tensor>;

/// Computes a file's results.
type Case = fn(&Golden) -> Result<Results>;

/// How far whole numbers are off.
type Difference = fn(&Path) -> Result<f64>;

/// The kinds of tensor files. A file's name, without ending, says its kind.
const CASES: [(&str, Case); 19] = [
    ("adamw_amsgrad_clip_ema", optimiser::results),
    ("dit_block", block::results),
    ("dit_dynamics", dynamics::dit),
    ("egnn_dynamics", dynamics::egnn),
    ("egnn_dynamics_variant", dynamics::egnn),
    ("final_decode", sampling::decode),
    ("gaussian_basis", pairs::results),
    ("gnn_dynamics", dynamics::gnn),
    ("gradients_egnn", gradients::egnn),
    ("gradients_symdiff", gradients::symdiff),
    ("nll", likelihood::results),
    ("qr_gram_schmidt", orthogonal::results),
    ("sample_chain", sampling::chain),
    ("sampler_step", sampling::step),
    ("schedules", schedule::results),
    ("symdiff_dynamics", dynamics::symdiff),
    ("training_loss_l2", loss::l2),
    ("training_loss_vlb", loss::vlb),
    ("training_loss_vlb_learned", loss::learned),
];

/// Files that hold whole numbers, which must be met exactly.
const EXACT: [(&str, Difference); 2] = [("param_counts", counts::difference), ("split", split::difference)];

/// The golden files of a folder, by name.
///
/// # Errors
/// [`symdiff_train::Error::Io`] when the folder cannot be read, [`Error::Config`] when it holds none.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder, "read the folder"))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_golden(path)).collect();
    files.sort();
    if files.is_empty() { Err(Error::Config(format!("{} holds no golden file (*.safetensors)", folder.display()))) } else { Ok(files) }
}

/// Computes what a golden file holds and compares. A case that is unknown or cannot run makes a failing report that says why.
///
/// # Errors
/// When the file cannot be read.
pub fn check(path: &Path, device: &Device) -> Result<FileReport> {
    let (file, kind) = (text(path.file_name()), text(path.file_stem()));
    if let Some((_, difference)) = EXACT.iter().find(|(name, _)| *name == kind) {
        return Ok(FileReport::exact(file, difference(path)?));
    }
    let Some((_, case)) = CASES.iter().find(|(name, _)| *name == kind) else {
        return Ok(FileReport::failed(file, &Error::Config(format!("no case is known for files named `{kind}`"))));
    };
    let golden = Golden::read(path, device)?;
    Ok(match case(&golden) {
        Ok(results) => compare::compare(file, &golden, &results)?,
        Err(error) => FileReport::failed(file, &error),
    })
}

fn is_golden(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "safetensors")
        || EXACT.iter().any(|(name, _)| text(path.file_name()) == format!("{name}.json"))
}

fn text(part: Option<&std::ffi::OsStr>) -> String {
    part.unwrap_or_default().to_string_lossy().into_owned()
}
