//! `evaluate` of one file by every protocol, and of two files against each other.

mod common;

use common::{json, refusal, symdiff, text, write};
use serde_json::Value;
use std::path::{Path, PathBuf};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../symdiff-mol/tests/golden");

/// Frames of water, named by `name`, every `bad`-th with a hydrogen torn off.
fn waters(folder: &Path, file: &str, count: usize, bad: usize, name: impl Fn(usize) -> String) -> PathBuf {
    let frame = |at: usize| {
        let away = if at.is_multiple_of(bad) { 3.0 } else { 0.0 };
        format!("3\n{}\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 {away}\n", name(at))
    };
    write(folder, file, (0..count).map(frame).collect::<String>())
}

#[test]
fn every_protocol_gives_its_numbers_with_intervals() {
    let cases = format!("{GOLDEN}/cases.jsonl");
    let found = json(&["evaluate", &cases, "--all", "--xtb-timeout", "0.001", "--json"]);
    let plain = json(&["evaluate", "--molecules", &cases, "--json"]);
    for (key, value) in plain.as_object().unwrap() {
        // Without a reference of its own, `--all` compares with the embedded set.
        assert!(["novelty", "novel_smiles", "distributions"].contains(&key.as_str()) || found[key] == *value, "{key}");
    }
    for (protocol, keys) in [("edm-qm9", 6), ("edm-geom", 5)] {
        let rated = found["protocols"][protocol].as_object().unwrap();
        assert_eq!(rated.len(), keys, "{rated:?}");
        for (name, row) in rated {
            let number = |key: &str| row[key].as_f64().unwrap();
            assert!(number("low") <= number("value") && number("value") <= number("high"), "{name}: {row}");
        }
    }
    let main = &found["protocols"]["edm-qm9"];
    for key in ["atom_stability", "molecule_stability", "validity", "uniqueness", "novelty", "connected"] {
        assert_eq!(main[key]["value"], found[key], "{key}");
    }
    assert_eq!((&main["validity"]["interval"], &main["atom_stability"]["interval"]), (&"wilson".into(), &"bootstrap".into()));
    assert!(found["protocols"]["geom-revisited"]["skipped"].as_str().unwrap().contains("bond list"));
    for (name, share) in found["geometry"].as_object().unwrap() {
        assert_eq!(found["geometry_intervals"][name]["value"], *share, "{name}");
    }
    assert_eq!(found["distributions"].as_array().unwrap().len(), 6);
    assert!(found["strain"].get("skipped").is_some() || found["strain"].get("mean").is_some());
    let printed = String::from_utf8(symdiff(&["evaluate", &cases, "--all", "--xtb-timeout", "0.001"]).stdout).unwrap();
    assert!(printed.contains("edm-geom") && printed.contains("wilson") && printed.contains("geometry checks"), "{printed}");
}

#[test]
fn two_files_are_compared_by_pairs_of_names_or_by_exchange() {
    let folder = tempfile::tempdir().unwrap();
    let good = waters(folder.path(), "good.xyz", 60, 61, |at| at.to_string());
    let bad = waters(folder.path(), "bad.xyz", 60, 3, |at| at.to_string());
    let unnamed = waters(folder.path(), "unnamed.xyz", 60, 3, |_| "water".to_owned());
    let validity = |found: &Value| {
        let rows = found["differences"].as_array().unwrap();
        rows.iter().find(|row| row["metric"] == "molecule_stability").unwrap().clone()
    };
    for (second, test) in [(&bad, "paired permutation"), (&unnamed, "permutation")] {
        let found = json(&["evaluate", text(&good), text(second), "--json"]);
        assert_eq!((&found["test"], &found["second_molecules"]), (&test.into(), &60.into()));
        let row = validity(&found);
        // One of sixty against twenty of sixty.
        assert!((row["difference"].as_f64().unwrap() - 19.0 / 60.0).abs() < 1e-12, "{row}");
        assert!(row["low"].as_f64().unwrap() > 0.1 && row["significant"] == true, "{row}");
    }
    let same = validity(&json(&["evaluate", text(&bad), text(&unnamed), "--json"]));
    assert!(same["p_value"] == 1.0 && same["significant"] == false, "{same}");
    let printed = String::from_utf8(symdiff(&["evaluate", text(&bad), text(&unnamed)]).stdout).unwrap();
    assert!(printed.contains("not significant"), "{printed}");
    assert!(refusal(&["evaluate", text(&bad), text(&good), "--all"]).contains("two files are compared"));
    assert!(refusal(&["evaluate", text(&good), "--reference-part", "train"]).contains("--reference embedded"));
    for more in [&["--xtb-single-point"][..], &["--reference-part", "train"], &["--target", "given", "--gallery", "g.html"]] {
        let sentence = refusal(&[&["evaluate", text(&bad), text(&good), "--xtb"], more].concat());
        assert!(sentence.contains("two files are compared") && sentence.contains(more[0]), "{sentence}");
    }
    assert!(String::from_utf8(symdiff(&["evaluate"]).stderr).unwrap().contains("FILE"));
}

/// Of fewer than forty sets the ends of a 95 % interval are the outermost ones, and of none there is no interval.
#[test]
fn intervals_and_tests_are_drawn_often_enough() {
    let cases = format!("{GOLDEN}/cases.jsonl");
    let commands: [&[&str]; 4] = [
        &["evaluate", &cases, "--replicates"],
        &["evaluate", &cases, &cases, "--exchanges"],
        &["export", "--run", "run", "--out", "a.safetensors", "--replicates"],
        &["verify", "a.safetensors", "--replicates"],
    ];
    for command in commands {
        for few in ["0", "39"] {
            let output = symdiff(&[command, &[few]].concat());
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.code() == Some(2) && said.contains("40"), "{command:?}: {said}");
        }
    }
    json(&["evaluate", &cases, &cases, "--exchanges", "40", "--replicates", "40", "--json"]);
}
