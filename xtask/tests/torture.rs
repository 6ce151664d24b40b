//! `torture` detects programs with a known fault.
#![cfg(unix)]

use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// The outcomes of one campaign against a program that is a script.
fn outcomes(script: &str, campaign: &str) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    std::fs::write(&program, format!("#!/bin/bash\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let arguments = ["torture", "--campaign", campaign, "--trials", "4", "--json", "--program", program.to_str().unwrap(), "--out"];
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).arg(folder.path().join("work")).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let summary: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    (output.status.code(), summary["rows"][0]["outcomes"].clone())
}

#[test]
fn results_that_change_panics_and_unclear_ends_are_found() {
    // evaluate --molecules molecules.xyz --rows OUT
    let (code, found) = outcomes("echo $RANDOM$RANDOM > \"$5\"; sleep 0.05", "kill-evaluate");
    assert!(code == Some(1) && found["different"].as_u64() > Some(0), "{found}");

    let training = "[ \"$3\" = --set ] && [ \"$4\" = train.steps=5 ] && exit 0";
    let (code, found) = outcomes(&format!("{training}\necho \"thread 'main' panicked at x.rs\" >&2; exit 101"), "settings");
    assert!(code == Some(1) && found["panic"] == 4, "{found}");
    let (code, found) = outcomes(&format!("{training}\nexit 2"), "settings");
    assert!(code == Some(1) && found["unclear"] == 4, "{found}");
    let (code, found) = outcomes(&format!("{training}\nkill -SEGV $$"), "settings");
    assert!(code == Some(1) && found["abort"] == 4, "{found}");
    let (code, found) = outcomes(&format!("{training}\necho 'error: one sentence' >&2; exit 2"), "settings");
    assert!(code == Some(0) && found["refused"] == 4, "{found}");
}
