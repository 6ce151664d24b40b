//! The commands on molecules, through the real binary.

mod common;

use common::{json, refusal, write};
use serde_json::Value;
use std::path::Path;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/symdiff-mol/tests/golden");

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
fn a_reference_brings_distributions() {
    let cases = format!("{GOLDEN}/cases.jsonl");
    let summary = json(&["evaluate", "--molecules", &cases, "--reference", "embedded", "--replicates", "20", "--json"]);
    let features = summary["distributions"].as_array().unwrap();
    assert_eq!(features.len(), 6);
    for feature in features {
        assert!(feature["low"].as_f64() <= feature["high"].as_f64(), "{feature}");
    }
    assert!(summary["geometry"]["all"].as_f64().unwrap() < 1.0);
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
