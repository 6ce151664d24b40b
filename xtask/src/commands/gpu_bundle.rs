//! `gpu-bundle`: everything that a machine with a GPU, but without Rust and network, needs to check and time the ops.

use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use symdiff_cli::{Failure, Outcome};

/// The script that runs on the other machine.
const SCRIPT: &str = include_str!("gpu_bundle.sh");
/// The largest folder that the command makes.
const LIMIT: u64 = 45 << 20;

/// Make a folder with a CUDA build, golden files and scripts, to check and time the ops on another machine.
#[derive(Args)]
pub(crate) struct GpuBundle {
    /// The folder to make; it must not exist.
    #[arg(long)]
    out: PathBuf,
    /// A program built with `--features cuda`; it is built when absent.
    #[arg(long)]
    program: Option<PathBuf>,
    /// The folder of golden files; without it the comparison with them is left out.
    #[arg(long)]
    golden: Option<PathBuf>,
    /// The folder of the PyTorch reference, which holds `bench_torch.py`; without it, or without --data, the comparison is left out.
    #[arg(long)]
    reference: Option<PathBuf>,
    /// Molecules for the benchmarks, `.npz`; the program's embedded set when absent.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl GpuBundle {
    pub(crate) fn run(&self) -> Outcome<Value> {
        if self.out.exists() {
            return Err(Failure::input(format!("{} exists; name a folder to be made", self.out.display())));
        }
        if let Some(folder) = self.reference.as_ref().filter(|folder| !folder.join("bench_torch.py").is_file()) {
            return Err(Failure::input(format!("{} holds no bench_torch.py", folder.display())));
        }
        if let Some(data) = self.data.as_ref().filter(|data| !data.is_file() || data.extension().is_none_or(|ending| ending != "npz")) {
            return Err(Failure::input(format!("{} is no .npz file", data.display())));
        }
        let program = self.program.clone().map_or_else(build, Ok)?;
        fs::create_dir_all(&self.out).map_err(Failure::run)?;
        packed(&program, &self.out)?;
        for (from, name) in [(&self.golden, "golden"), (&self.reference, "reference"), (&self.data, "data.npz")] {
            if let Some(from) = from {
                copied(from, &self.out.join(name))?;
            }
        }
        fs::write(self.out.join("run.sh"), SCRIPT).map_err(Failure::run)?;
        let bytes = size(&self.out).map_err(Failure::run)?;
        if bytes > LIMIT {
            return Err(Failure::run(format!("{} holds {bytes} bytes, the limit is {LIMIT}; give less data", self.out.display())));
        }
        Ok(json!({ "folder": self.out, "bytes": bytes }))
    }
}

/// The release program with CUDA.
fn build() -> Outcome<PathBuf> {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    let build = ["build", "--release", "--package", "xtask", "--features", "cuda"];
    let status = Command::new(env!("CARGO")).args(build).status().map_err(Failure::run)?;
    if status.success() {
        return Ok(Path::new(&target).join("release/xtask"));
    }
    Err(Failure::run("the program does not build with `--features cuda`; is CUDA_HOME a CUDA 13 toolkit?"))
}

/// The program as `symdiff.gz`, without its debugging symbols.
fn packed(program: &Path, folder: &Path) -> Outcome<()> {
    let (plain, packed) = (folder.join("symdiff"), folder.join("symdiff.gz"));
    let stripped = Command::new("strip").arg("-o").args([&plain, program]).status().map_err(Failure::run)?;
    if !stripped.success() {
        return Err(Failure::input(format!("{} is no program that `strip` can read", program.display())));
    }
    let mut encoder = GzEncoder::new(File::create(packed).map_err(Failure::run)?, Compression::best());
    std::io::copy(&mut File::open(&plain).map_err(Failure::run)?, &mut encoder).map_err(Failure::run)?;
    encoder.finish().map_err(Failure::run)?;
    fs::remove_file(plain).map_err(Failure::run)
}

/// Copies a file, or a folder with all it holds.
fn copied(from: &Path, to: &Path) -> Outcome<()> {
    let context = |error| Failure::run(format!("cannot copy {}: {error}", from.display()));
    if from.is_file() {
        return fs::copy(from, to).map(|_| ()).map_err(context);
    }
    fs::create_dir_all(to).map_err(context)?;
    for entry in fs::read_dir(from).map_err(context)? {
        let entry = entry.map_err(context)?;
        copied(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn size(path: &Path) -> std::io::Result<u64> {
    if path.is_file() {
        return Ok(path.metadata()?.len());
    }
    fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}
