//! Running the real binary.
#![allow(dead_code, reason = "each test file uses its part")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
}

pub(crate) fn xtask(arguments: &[&str]) -> Output {
    binary().args(arguments).output().expect("the binary starts")
}

/// The object on the last line of stdout.
pub(crate) fn json(arguments: &[&str]) -> Value {
    let output = xtask(arguments);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

/// The one sentence of a refused input.
pub(crate) fn refusal(arguments: &[&str]) -> String {
    let output = xtask(arguments);
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
