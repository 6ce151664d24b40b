//! The commands on molecules, through the real binary.

mod common;

use common::{binary, json, on_path, refusal, write};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../symdiff-mol/tests/golden");

#[test]
fn evaluate_prints_every_key_and_writes_a_row_a_molecule() {
    let folder = tempfile::tempdir().unwrap();
    let rows = folder.path().join("rows.jsonl");
    let cases = format!("{GOLDEN}/cases.jsonl");
    let rows_path = rows.to_str().unwrap();
    let summary = json(&["evaluate", "--molecules", &cases, "--rows", rows_path, "--json"]);
    let keys = "molecules atoms atom_stability molecule_stability validity uniqueness novelty connected";
    for key in keys.split(' ') {
        assert!(summary.get(key).is_some(), "{key}");
    }
    assert_eq!(summary["novelty"], Value::Null);
    let read = |path: &Path| -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (rows, labels) = (read(&rows), read(Path::new(&cases)));
    assert_eq!(summary["molecules"], rows.len());
    assert_eq!(labels.len(), rows.len());
    for (row, label) in rows.iter().zip(&labels) {
        for key in ["id", "stable_atoms", "mol_stable", "valid", "smiles", "n_fragments"] {
            assert_eq!(row[key], label[key], "{}", label["id"]);
        }
    }
}

#[test]
fn nothing_is_novel_against_itself_and_threads_change_nothing() {
    let cases = format!("{GOLDEN}/cases_geom.jsonl");
    let arguments = |threads| {
        let geom = ["--protocol", "edm-geom", "--reference", &cases, "--json", "--threads", threads];
        json(&[&["evaluate", "--molecules", &cases], &geom[..]].concat())
    };
    assert_eq!(arguments("1")["novelty"], 0.0);
    assert_eq!(arguments("1"), arguments("2"));
}

#[test]
fn the_embedded_set_is_inspected_by_default() {
    let summary = json(&["data", "inspect", "--json"]);
    assert_eq!(summary["molecules"], 8000);
    assert_eq!(summary["elements"]["F"], 960);
    assert_eq!(summary["split"]["train"], 6400);
    // The published geometries have a pose.
    let [x, y, z] = [0, 1, 2].map(|axis| summary["spread"][axis].as_f64().unwrap());
    assert!((x - 1.85).abs() < 0.01 && (y - 1.22).abs() < 0.01 && (z - 1.0).abs() < 0.01, "{x} {y} {z}");
}

#[test]
fn a_prepared_set_is_verified_and_judged_like_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let packed = folder.path().join("packed.safetensors");
    let (cases, packed_path) = (format!("{GOLDEN}/cases.jsonl"), packed.to_str().unwrap());
    let summary = json(&["data", "prepare", &cases, "--out", packed_path, "--json"]);
    assert_eq!(json(&["data", "verify", packed_path, "--json"])["atoms"], summary["atoms"]);
    let valid = |path: &str| json(&["evaluate", "--molecules", path, "--json"])["valid_molecules"].clone();
    assert_eq!(valid(packed_path), valid(&cases));
    let whole = std::fs::read(&packed).unwrap();
    let damaged = write(folder.path(), "damaged.safetensors", &whole[..whole.len() - 1]);
    assert!(refusal(&["data", "verify", damaged.to_str().unwrap()]).contains("damaged.safetensors"));
    assert!(refusal(&["data", "prepare", &cases, "--out", "packed.npz"]).contains(".safetensors"));
    assert!(refusal(&["data", "download", "zinc"]).contains("qm9 or geom"));
}

#[test]
fn references_and_permutations_go_into_the_packed_set() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../symdiff-mol/tests/corpus");
    let (references, permutation) = (format!("{corpus}/references/atomref.txt"), format!("{corpus}/permutation/ten.npy"));
    let frames = (0..10)
        .map(|i| format!("2\nProperties=species:S:1:pos:R:3 name=\"gdb_{i}\" U0=-1.5\nH 0 0 0\nH 0 0 0.7\n"))
        .collect::<Vec<_>>()
        .concat();
    let source = write(folder.path(), "ten.extxyz", frames);
    let out = folder.path().join("ten.safetensors");
    let (source, out) = (source.to_str().unwrap(), out.to_str().unwrap());
    json(&["data", "prepare", source, "--out", out, "--references", &references, "--permutation", &permutation, "--json"]);
    let summary = json(&["data", "inspect", out, "--json"]);
    assert_eq!(summary["properties"], serde_json::json!(["U0", "U0_thermo"]));
    assert_eq!(summary["split"], serde_json::json!({"train": 8, "valid": 1, "test": 1}));
}

/// Killed again and again, each time a little later, a preparation arrives at the cache that an undisturbed one writes.
#[test]
fn a_killed_preparation_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let frames = (0..60_000).map(|i| format!("2\nh{i}\nH 0 0 0\nH 0 0 {}.5\n", i % 97)).collect::<Vec<_>>().concat();
    let source = write(folder.path(), "many.xyz", frames);
    let prepare = |out: &Path| {
        let mut command = binary();
        command.args(["data", "prepare", source.to_str().unwrap(), "--out", out.to_str().unwrap()]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let (calm, disturbed) = (folder.path().join("calm.safetensors"), folder.path().join("disturbed.safetensors"));
    assert!(prepare(&calm).wait().unwrap().success());
    let journal = folder.path().join("disturbed.safetensors.journal.part");
    let mut continued = false;
    for delay in 0.. {
        let mut run = prepare(&disturbed);
        while run.try_wait().unwrap().is_none() && !journal.exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(5 * delay));
        // It may have ended by itself.
        let _ = run.kill();
        let output = run.wait_with_output().unwrap();
        continued |= String::from_utf8_lossy(&output.stderr).contains("continuing after molecule");
        if output.status.success() {
            break;
        }
        // If it is killed after the work and before its last message, it leaves a complete cache.
        if disturbed.exists() {
            assert!(std::fs::read(&disturbed).unwrap() == std::fs::read(&calm).unwrap(), "a cache that is not whole has its name");
            std::fs::remove_file(&disturbed).unwrap();
        }
    }
    assert!(std::fs::read(&disturbed).unwrap() == std::fs::read(&calm).unwrap());
    assert!(continued, "no run was continued");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 3, "parts are left behind");
}

#[test]
fn a_reference_brings_distributions() {
    let cases = format!("{GOLDEN}/cases.jsonl");
    let summary = json(&["evaluate", "--molecules", &cases, "--reference", "embedded", "--replicates", "40", "--json"]);
    let features = summary["distributions"].as_array().unwrap();
    assert_eq!(features.len(), 6);
    for feature in features {
        assert!(feature["low"].as_f64() <= feature["high"].as_f64(), "{feature}");
    }
    assert!(summary["geometry"]["all"].as_f64().unwrap() < 1.0);
}

/// With a script that answers like `xtb`, and without any.
#[cfg(unix)]
#[test]
fn energies_come_from_xtb_where_it_is_installed() {
    let folder = tempfile::tempdir().unwrap();
    let frames = "2\nrelaxes\nH 0 0 0\nH 0 0 0.8\n1\nhangs\nO 0 0 0\n";
    let (source, rows) = (write(folder.path(), "two.xyz", frames), folder.path().join("rows.jsonl"));
    let evaluate = |path: &OsStr, more: &[&str]| {
        let mut command = binary();
        command.env("PATH", path).args(["evaluate", "--molecules", source.to_str().unwrap(), "--json"]).args(more);
        command.output().unwrap()
    };
    let without = evaluate(folder.path().as_os_str(), &["--xtb"]);
    let sentence = String::from_utf8(without.stderr).unwrap();
    assert!(without.status.code() == Some(2) && sentence.starts_with("error: xtb: cannot be started"), "{sentence}");

    let script = "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\ngrep -q '^O' molecule.xyz && exec sleep 60\n\
        case \"$*\" in *--opt*) e=-1.02;; *) e=-1.00;; esac\necho \"| TOTAL ENERGY $e Eh |\"\n";
    let output = evaluate(&on_path(folder.path(), "xtb", script), &["--xtb", "--xtb-timeout", "2", "--rows", rows.to_str().unwrap()]);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["energy"]["molecules"], &summary["energy"]["failed"]), (&1.into(), &1.into()));
    assert_eq!(summary["energy"]["energy_per_atom"], -0.5);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("hangs: xtb took more than 2 s"), "{log}");
    let text = std::fs::read_to_string(&rows).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!((rows[0]["strain"].as_f64().unwrap() - 0.02 * 627.509474).abs() < 1e-6, "{text}");
    assert!(rows[1]["id"] == "hangs" && rows[1]["energy"].is_null() && rows[1].get("strain").is_some(), "{text}");
}

#[test]
fn bad_input_gets_one_sentence_with_file_place_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content, words) in [
        ("empty.xyz", "", &["holds no molecule", "at least one"][..]),
        ("cut.xyz", "2\nm\nH 0 0 0\n", &["line 4", "cut"]),
        ("none.xyz", "0\nm\n", &["line 1", "empty"]),
        ("nan.xyz", "1\nm\nH nan 0 0\n", &["line 3", "coordinate x of atom 1 is NaN", "finite"]),
        ("element.xyz", "1\nm\nQq 0 0 0\n", &["line 3", "`Qq`", "symbol"]),
        ("chlorine.xyz", "1\nm\nCl 0 0 0\n", &["molecule 1", "Cl", "edm-geom"]),
        ("word.xyz", "1\nm\nH a 0 0\n", &["line 3", "`a`", "decimal"]),
        ("not.npz", "PK", &["archive", "write it again"]),
        ("not.jsonl", "{\"z\":", &["line 1"]),
        ("what.ever", "", &["ending", ".xyz"]),
    ] {
        let path = write(folder.path(), name, content);
        let sentence = refusal(&["evaluate", "--molecules", path.to_str().unwrap()]);
        assert!(sentence.contains(name), "{sentence}");
        for word in words {
            assert!(sentence.contains(word), "{sentence}");
        }
    }
    assert!(refusal(&["data", "inspect", "/no/such.xyz"]).contains("/no/such.xyz: cannot open it"));
}
