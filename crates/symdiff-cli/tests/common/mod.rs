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

/// A folder of programs that are scripts, and the `PATH` on which they stand first, before the system's: what else is installed on the machine is not used.
#[cfg(unix)]
pub(crate) fn on_path(folder: &Path, name: &str, script: &str) -> std::ffi::OsString {
    use std::os::unix::fs::PermissionsExt;
    let program = write(folder, name, script);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::env::join_paths([folder, Path::new("/usr/bin"), Path::new("/bin")]).unwrap()
}

/// A script that answers like `xtb` with numbers that differ by molecule, and fails on oxygen alone.
pub(crate) const XTB: &str = "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\ngrep -q '^1$' molecule.xyz && exit 3\n\
    sum=$(cksum < molecule.xyz | cut -c1-4)\ncase \"$*\" in *--opt*) e=-2.$sum;; *) e=-1.$sum;; esac\n\
    echo \"| TOTAL ENERGY $e Eh |\"\necho \"| HOMO-LUMO GAP 5.$sum eV |\"\n";

/// Molecules for it: water, stretched a little more each time, and an oxygen atom.
pub(crate) fn waters(folder: &Path, count: usize) -> PathBuf {
    let water = |at: usize| format!("3\nwater {at}\nO 0 0 0\nH 0.76 0.59 0.0{at}\nH -0.76 0.59 0\n");
    let frames: String = (0..count).map(water).collect();
    write(folder, "waters.xyz", frames + "1\nalone\nO 0 0 0\n")
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
