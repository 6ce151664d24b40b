//! Running the real binary.
#![allow(dead_code, reason = "each test file uses its part")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_symdiff"))
}

pub(crate) fn symdiff(arguments: &[&str]) -> Output {
    binary().args(arguments).output().expect("the binary starts")
}

/// The object on the last line of stdout.
pub(crate) fn json(arguments: &[&str]) -> Value {
    let output = symdiff(arguments);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

/// The one sentence of a refused input.
pub(crate) fn refusal(arguments: &[&str]) -> String {
    let output = symdiff(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

pub(crate) fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs the binary where no file may grow beyond so many KiB.
pub(crate) fn limited(kib: usize, arguments: &[&str]) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\"");
    Command::new("bash").args(["-c", &script, "bash", env!("CARGO_BIN_EXE_symdiff")]).args(arguments).output().expect("bash starts")
}

/// The smallest model's experiment and the place of its run, in a folder of its own.
pub(crate) struct Tiny {
    folder: tempfile::TempDir,
    experiment: PathBuf,
    run: PathBuf,
}

impl Tiny {
    /// The experiment alone.
    pub(crate) fn untrained() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let experiment = write(folder.path(), "tiny.toml", "[model]\npreset = 'symdiff-tiny'\n[train]\nbatch = 8\nsteps = 2\n");
        let run = folder.path().join("run");
        Self { folder, experiment, run }
    }

    /// With a run of two steps.
    pub(crate) fn trained() -> Self {
        let tiny = Self::untrained();
        json(&["train", text(tiny.experiment()), "--out", text(tiny.run()), "--json"]);
        tiny
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn experiment(&self) -> &Path {
        &self.experiment
    }

    pub(crate) fn run(&self) -> &Path {
        &self.run
    }
}
