//! Small files that were once misread, through the program; the readers themselves are tested in `symdiff-mol`.

mod common;

use common::{json, refusal, symdiff, text, write};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../symdiff-mol/tests/cases");

fn prepared(case: &str, more: &[&str]) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (format!("{CASES}/{case}"), folder.path().join("packed.safetensors"));
    let summary = json(&[&["data", "prepare", &source, "--out", text(&out), "--json"], more].concat());
    let properties = json(&["data", "inspect", text(&out), "--json"])["properties"].clone();
    serde_json::json!({"molecules": summary["molecules"], "left_out": summary["left_out"], "skipped": summary["skipped"], "properties": properties})
}

fn judged(case: &str) -> serde_json::Value {
    json(&["evaluate", "--molecules", &format!("{CASES}/{case}"), "--protocol", "geom-revisited", "--json"])
}

#[test]
fn files_are_packed_as_their_formats_say() {
    assert_eq!(prepared("sdf-no-m-end.sdf", &[])["molecules"], 2);
    assert_eq!(prepared("sdf-multiline-item.sdf", &[])["properties"], serde_json::json!(["energy"]));
    assert_eq!(prepared("tar-long-name.tar.gz", &[])["molecules"], 2);
    assert_eq!(prepared("extxyz-no-properties.extxyz", &[])["properties"], serde_json::json!(["energy"]));
    let list = format!("{CASES}/exclude-plain-list.txt");
    let rest = prepared("exclude-list.sdf", &["--exclude", &list]);
    assert_eq!((&rest["molecules"], &rest["left_out"]), (&1.into(), &11.into()));
}

#[test]
fn files_are_judged_by_their_own_bonds_and_charges() {
    assert_eq!(judged("sdf-trailing-blank-lines.sdf")["molecules"], 1);
    assert_eq!(judged("sdf-metal-donor.sdf")["validity"], 1.0);
    let radical = judged("sdf-m-rad-charges.sdf");
    assert_eq!((&radical["validity"], &radical["atom_stability"]), (&0.0.into(), &0.8.into()));
    assert_eq!(judged("geometry-stretched-ring.sdf")["geometry"]["bond_lengths"], 0.0);
    let sentence = refusal(&["evaluate", "--molecules", &format!("{CASES}/v3000-bad-index.sdf"), "--protocol", "geom-revisited"]);
    assert!(sentence.contains("bond 1 joins atom 5"), "{sentence}");
}

#[test]
fn an_empty_training_part_is_no_reference() {
    let folder = tempfile::tempdir().unwrap();
    let water = write(folder.path(), "water.xyz", "3\nwater\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n");
    let sentence = refusal(&["evaluate", "--molecules", text(&water), "--reference", text(&water), "--reference-part", "train"]);
    assert!(sentence.contains("water.xyz: the training part of the set is empty"), "{sentence}");
}

#[test]
fn bad_records_are_skipped_on_request_and_sizes_are_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let source = write(folder.path(), "three.xyz", "1\na\nH 0 0 0\n1\nb\nQq 0 0 0\n2\nc\nH 0 0 0\nH 0 0 0.74\n");
    let out = folder.path().join("packed.safetensors");
    let arguments = ["data", "prepare", text(&source), "--out", text(&out)];
    assert!(refusal(&arguments).contains("line 6"));
    let all = json(&[&arguments[..], &["--skip-bad", "--json"]].concat());
    assert_eq!((&all["molecules"], &all["skipped"]), (&2.into(), &1.into()));
    let pairs = json(&[&arguments[..], &["--skip-bad", "--atoms", "2..3", "--json"]].concat());
    assert_eq!((&pairs["molecules"], &pairs["left_out"]), (&1.into(), &1.into()));
    let backwards = symdiff(&[&arguments[..], &["--atoms", "3..2"]].concat());
    assert!(backwards.status.code() == Some(2) && String::from_utf8_lossy(&backwards.stderr).contains("such as 18 or 12..20"));
    let judged = json(&["evaluate", "--molecules", text(&source), "--skip-bad", "--json"]);
    assert_eq!((&judged["molecules"], &judged["skipped"]), (&2.into(), &1.into()));
}
