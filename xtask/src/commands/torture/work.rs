//! What is tortured: commands with a result that an undisturbed run gives to the last bit.

use super::Ground;
use candle_core::Device;
use safetensors::SafeTensors;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use symdiff_cli::{Failure, Outcome};
use symdiff_models::{Experiment, Model};
use symdiff_mol::{data, formats};
use symdiff_ops::Noise;

/// A command whose result does not depend on how often it was interrupted.
pub(super) trait Work {
    /// Makes what the command reads, in the folder of the campaign.
    fn prepare(&self, ground: &Ground) -> Outcome<()>;
    /// The command that writes into `out`, going on with what is there.
    fn command(&self, out: &Path) -> Vec<String>;
    /// The result, where it is there.
    fn result(&self, out: &Path) -> Option<Vec<u8>>;
}

pub(super) struct Train;
pub(super) struct Prepare;
pub(super) struct Reproduce;
pub(super) struct Sample;
pub(super) struct Evaluate;
pub(super) struct Import;

const TINY: &str = "[model]\npreset = 'symdiff-tiny'\n[train]\nbatch = 16\nlr = 1e-3\nsteps = 150\ncheckpoint_minutes = 0.001\n\
    validate_every = 25\nvalidate_samples = 32\n";
const SUITE: &str = "title = 'Torture'\nruns = ['tiny', 'again']\nprotocol = 'edm-qm9'\nsamples = 20\ngroups = 2\nnll_molecules = 8\n\
    settings = ['train.steps=60', 'diffusion.steps=40']\n";
/// The model of a state dict to import.
const IMPORTED: &str = "symdiff-small";
/// Molecules to judge and to pack.
const MOLECULES: usize = 4000;

impl Work for Train {
    fn prepare(&self, ground: &Ground) -> Outcome<()> {
        put(&ground.folder.join("tiny.toml"), TINY)
    }

    fn command(&self, out: &Path) -> Vec<String> {
        let resume = out.join("experiment.toml").exists().then_some("--resume");
        words(&["train", "tiny.toml", "--out"]).into_iter().chain([shown(out)]).chain(resume.map(str::to_owned)).collect()
    }

    fn result(&self, out: &Path) -> Option<Vec<u8>> {
        run(out)
    }
}

impl Work for Prepare {
    fn prepare(&self, ground: &Ground) -> Outcome<()> {
        molecules(&ground.folder.join("molecules.xyz"), 5 * MOLECULES)
    }

    fn command(&self, out: &Path) -> Vec<String> {
        words(&["data", "prepare", "molecules.xyz", "--out"]).into_iter().chain([shown(&out.with_extension("safetensors"))]).collect()
    }

    fn result(&self, out: &Path) -> Option<Vec<u8>> {
        std::fs::read(out.with_extension("safetensors")).ok()
    }
}

impl Work for Reproduce {
    fn prepare(&self, ground: &Ground) -> Outcome<()> {
        put(&ground.folder.join("suite.toml"), SUITE)?;
        put(&ground.folder.join("again.toml"), &TINY.replace("lr = 1e-3", "lr = 2e-3"))?;
        put(&ground.folder.join("tiny.toml"), TINY)
    }

    fn command(&self, out: &Path) -> Vec<String> {
        let resume = out.is_dir().then_some("--resume");
        words(&["reproduce", "--profile", "suite.toml", "--out"]).into_iter().chain([shown(out)]).chain(resume.map(str::to_owned)).collect()
    }

    /// Both runs and their molecules, once there is a report.
    fn result(&self, out: &Path) -> Option<Vec<u8>> {
        std::fs::read(out.join("report.html")).ok()?;
        let mut all = Vec::new();
        for name in ["tiny", "again"] {
            all.extend(run(&out.join(name))?);
            all.extend(std::fs::read(out.join(name).join("samples.xyz")).ok()?);
        }
        Some(all)
    }
}

impl Work for Sample {
    fn prepare(&self, ground: &Ground) -> Outcome<()> {
        trained(ground)
    }

    fn command(&self, out: &Path) -> Vec<String> {
        words(&["sample", "--run", "run", "-n", "60", "--steps", "60", "--out"])
            .into_iter()
            .chain([shown(&out.with_extension("xyz"))])
            .collect()
    }

    fn result(&self, out: &Path) -> Option<Vec<u8>> {
        std::fs::read(out.with_extension("xyz")).ok()
    }
}

impl Work for Evaluate {
    fn prepare(&self, ground: &Ground) -> Outcome<()> {
        molecules(&ground.folder.join("molecules.xyz"), MOLECULES)
    }

    fn command(&self, out: &Path) -> Vec<String> {
        words(&["evaluate", "--molecules", "molecules.xyz", "--rows"]).into_iter().chain([shown(&out.with_extension("jsonl"))]).collect()
    }

    fn result(&self, out: &Path) -> Option<Vec<u8>> {
        std::fs::read(out.with_extension("jsonl")).ok()
    }
}

impl Work for Import {
    /// A state dict of some ten megabytes, which takes long enough to write for a kill to come in between.
    fn prepare(&self, ground: &Ground) -> Outcome<()> {
        let experiment = Experiment::parse(&format!("model.preset = '{IMPORTED}'\ntrain.steps = 1\n"), &[])?;
        let model = Model::fresh(&experiment, 0, Noise::seeded(0), &Device::Cpu)?;
        let weights: HashMap<_, _> = model.parameters.named().into_iter().map(|(name, var)| (name, var.as_tensor().clone())).collect();
        candle_core::safetensors::save(&weights, ground.folder.join("weights.safetensors")).map_err(Failure::run)
    }

    fn command(&self, out: &Path) -> Vec<String> {
        words(&["import", "--from", "weights.safetensors", "--model", IMPORTED, "--out"])
            .into_iter()
            .chain([shown(&out.with_extension("safetensors"))])
            .collect()
    }

    fn result(&self, out: &Path) -> Option<Vec<u8>> {
        tensors(&out.with_extension("safetensors"))
    }
}

/// A finished run of the smallest model, in `run`.
pub(super) fn trained(ground: &Ground) -> Outcome<()> {
    put(&ground.folder.join("tiny.toml"), TINY)?;
    let done = ground.run(&words(&["train", "tiny.toml", "--set", "train.steps=5", "--out", "run"]))?;
    if done.succeeded() { Ok(()) } else { Err(Failure::run(format!("an undisturbed run fails: {}", done.said()))) }
}

/// Molecules of the embedded set, in the format of the ending, again and again where more are asked for than it has.
pub(super) fn molecules(path: &Path, count: usize) -> Outcome<()> {
    let set = data::embedded();
    formats::write_all(path, (0..count).map(|place| set.molecule(place % set.len())))?;
    Ok(())
}

pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn put(path: &PathBuf, text: &str) -> Outcome<()> {
    std::fs::write(path, text).map_err(|error| Failure::run(format!("{}: cannot write it: {error}", path.display())))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// What a finished training run says and holds, without the clock: its experiment, step, loss and gradient norm of each row, step and loss of each
/// validation, and all tensors of the last and of the best checkpoint.
fn run(folder: &Path) -> Option<Vec<u8>> {
    let mut all = std::fs::read(folder.join("experiment.toml")).ok()?;
    for (file, keys) in [("metrics.jsonl", &["step", "loss", "gradient_norm"][..]), ("validation.jsonl", &["step", "loss"])] {
        for line in std::fs::read_to_string(folder.join(file)).ok()?.lines() {
            let row: serde_json::Value = serde_json::from_str(line).ok()?;
            for key in keys {
                all.extend(row[*key].as_f64()?.to_le_bytes());
            }
        }
    }
    for file in ["last.safetensors", "best.safetensors"] {
        all.extend(tensors(&folder.join(file))?);
    }
    Some(all)
}

/// The tensors of a file with their names, in the order of names.
fn tensors(file: &Path) -> Option<Vec<u8>> {
    let bytes = std::fs::read(file).ok()?;
    let mut tensors = SafeTensors::deserialize(&bytes).ok()?.tensors();
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    Some(tensors.iter().flat_map(|(name, tensor)| [name.as_bytes(), tensor.data()]).flatten().copied().collect())
}
