//! Files of weights through the program: what they say, what `verify` finds, what a card tells, and the model that is compiled in.

mod common;

use common::{Tiny, json, refusal, symdiff, text, write};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use twox_hash::XxHash3_64;

/// A run of two steps and its file of weights, scored on 60 molecules of three steps.
fn exported(tiny: &Tiny, more: &[&str]) -> PathBuf {
    let file = tiny.folder().join("tiny.safetensors");
    let command =
        ["export", "--run", text(tiny.run()), "--out", text(&file), "--samples", "60", "--steps", "3", "--nll-molecules", "30", "--json"];
    let summary = json(&[&command[..], more].concat());
    assert_eq!(summary["bytes"], std::fs::metadata(&file).unwrap().len());
    assert_eq!(summary["scores"]["samples"], 60);
    file
}

/// The file with its header changed, and sealed again by one who knows how.
fn forged(file: &Path, change: impl Fn(&mut Value)) -> PathBuf {
    let bytes = std::fs::read(file).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut entries: HashMap<String, String> = metadata.metadata().clone().unwrap();
    let mut header: Value = serde_json::from_str(&entries["symdiff"]).unwrap();
    change(&mut header);
    let seal = XxHash3_64::oneshot(format!("{header}\n{}", entries["symdiff.checksums"]).as_bytes());
    entries.insert("symdiff".into(), header.to_string());
    entries.insert("symdiff.seal".into(), format!("{seal:016x}"));
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let views: Vec<(String, TensorView)> = tensors.tensors();
    let forged = file.with_file_name("forged.safetensors");
    std::fs::write(&forged, safetensors::serialize(views, Some(entries)).unwrap()).unwrap();
    forged
}

#[test]
fn a_file_says_what_it_is_and_draws_as_it_says() {
    let tiny = Tiny::trained();
    let file = exported(&tiny, &[]);
    let whole = std::fs::metadata(tiny.run().join("last.safetensors")).unwrap().len();
    // Averages alone, in two bytes: a tenth of a checkpoint of five times four.
    assert!(std::fs::metadata(&file).unwrap().len() < whole / 5);
    let out = tiny.folder().join("s.xyz");
    assert_eq!(json(&["sample", "--run", text(&file), "-n", "3", "--steps", "2", "--out", text(&out), "--json"])["molecules"], 3);
    let found = json(&["verify", text(&file), "--data", "embedded", "--scores", "--json"]);
    assert_eq!((&found["sound"], &found["data"], &found["name"]), (&true.into(), &"the same".into(), &"tiny".into()));
    let scores = found["scores"].as_array().unwrap();
    assert!(scores.iter().any(|row| row["score"] == "nll") && scores.iter().all(|row| row["agrees"] == true), "{scores:?}");
    assert!(scores.iter().any(|row| row["recorded"] != row["found"]), "the same molecules were drawn: {scores:?}");
    assert!(refusal(&["verify", text(&tiny.run().join("last.safetensors"))]).contains("export"));
    assert!(refusal(&["train", text(tiny.experiment()), "--out", text(tiny.folder()), "--resume"]).contains("no run to resume"));
}

#[test]
fn what_is_not_asked_for_is_drawn_as_the_scores_were() {
    let tiny = Tiny::trained();
    let recorded = ["--sampler", "stochastic-ddim", "--grid", "log-snr", "--churn", "8"];
    let file = exported(&tiny, &recorded);
    let out = tiny.folder().join("s.xyz");
    let drawn = |more: &[&str]| {
        json(&[&["sample", "--run", text(&file), "-n", "3", "--out", text(&out), "--json"], more].concat());
        std::fs::read(&out).unwrap()
    };
    let usual = drawn(&[]);
    assert_eq!(usual, drawn(&[&recorded[..], &["--steps", "3"]].concat()));
    assert_ne!(usual, drawn(&["--churn", "2"]));
    // Another sampler has its own defaults: neither a churn nor a grid of the recorded one.
    assert_eq!(drawn(&["--sampler", "ddim", "--steps", "4"]), drawn(&["--sampler", "ddim", "--steps", "4", "--grid", "uniform"]));
    assert!(refusal(&["export", "--run", text(tiny.run()), "--out", text(&out), "--churn", "8"]).contains("ancestral has no churn"));
    // A record that cannot be read is not passed over for another sampler.
    let forged = forged(&file, |header| header["record"]["facts"]["provenance"]["scores"]["steps"] = "many".into());
    assert!(refusal(&["sample", "--run", text(&forged), "-n", "1", "--out", text(&out)]).contains("what the weights say of themselves"));
}

#[test]
fn a_changed_bit_a_wrong_score_and_another_set_are_found() {
    let tiny = Tiny::trained();
    let file = exported(&tiny, &["--storage", "f32"]);
    let bytes = std::fs::read(&file).unwrap();
    // In the tensors, and in the header's text.
    for place in [bytes.len() - 5, 400] {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        let changed = write(tiny.folder(), "changed.safetensors", changed);
        let sentence = refusal(&["verify", text(&changed)]);
        assert!(sentence.contains("changed.safetensors"), "{sentence}");
    }
    let boast =
        forged(&file, |header| header["record"]["facts"]["provenance"]["scores"]["scores"]["atom_stability"]["value"] = 0.95.into());
    json(&["verify", text(&boast), "--json"]);
    let boast = forged(&file, |header| {
        let score = &mut header["record"]["facts"]["provenance"]["scores"]["scores"]["atom_stability"];
        *score = serde_json::json!({"value": 0.95, "low": 0.93, "high": 0.97, "interval": "bootstrap"});
    });
    let sentence = refusal(&["verify", text(&boast), "--scores"]);
    assert!(sentence.contains("atom_stability 0.95") && sentence.contains("was found"), "{sentence}");
    let other = forged(&file, |header| header["record"]["facts"]["provenance"]["scores"]["nll"]["mean"] = (-1e9).into());
    assert!(refusal(&["verify", text(&other), "--scores"]).contains("nll"));
    let water = write(tiny.folder(), "water.xyz", "3\nwater\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n");
    let sentence = refusal(&["verify", text(&file), "--data", text(&water)]);
    assert!(sentence.contains("water.xyz") && sentence.contains("hash"), "{sentence}");
    assert!(refusal(&["export", "--run", text(tiny.run()), "--out", "w.safetensors", "--data", text(&water)]).contains("--data"));
}

#[test]
fn the_card_has_front_matter_and_every_score() {
    let tiny = Tiny::trained();
    let file = exported(&tiny, &["--licence", "CC-BY-4.0", "--name", "a: name"]);
    let card = String::from_utf8(symdiff(&["card", text(&file)]).stdout).unwrap();
    let mut parts = card.splitn(3, "---\n");
    let (before, front, body) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    assert_eq!(before, "");
    let keys: HashMap<&str, Value> =
        front.lines().map(|line| line.split_once(": ").unwrap()).map(|(key, value)| (key, serde_json::from_str(value).unwrap())).collect();
    assert_eq!((&keys["license"], &keys["library_name"]), (&"cc-by-4.0".into(), &"symdiff".into()));
    assert_eq!(keys["model-index"][0]["name"], "a: name");
    assert_eq!(keys["model-index"][0]["results"][0]["metrics"].as_array().unwrap().len(), 6);
    for words in ["# a: name", "atom stability", "NLL", "symdiff verify tiny.safetensors", "preset = \"symdiff-tiny\"", "2410.06262"] {
        assert!(body.contains(words), "{words} is not in {body}");
    }
}

#[test]
fn a_card_replaces_a_card_and_nothing_else() {
    let tiny = Tiny::trained();
    let file = exported(&tiny, &[]);
    let (out, own) = (tiny.folder().join("card.md"), write(tiny.folder(), "README.md", "# Mine\n"));
    let card = |out: &Path, more: &[&str]| [&["card", text(&file), "--out", text(out)], more].concat().join("\n");
    let run = |command: String| json(&command.split('\n').chain(["--json"]).collect::<Vec<_>>());
    let refused = |command: String| refusal(&command.split('\n').collect::<Vec<_>>());
    let printed = String::from_utf8(symdiff(&["card", text(&file)]).stdout).unwrap();
    for _ in 0..2 {
        assert_eq!(run(card(&out, &[]))["file"], text(&out));
        assert_eq!(std::fs::read_to_string(&out).unwrap(), printed);
    }
    assert!(refused(card(&own, &[])).contains("something other than a model card"));
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "# Mine\n");
    run(card(&own, &["--force"]));
    assert_eq!(std::fs::read_to_string(&own).unwrap(), printed);
    // A place is checked before the file is read.
    std::fs::write(&file, "no weights").unwrap();
    assert!(refused(card(&file, &["--force"])).contains("is the input"));
    assert!(refused(card(&tiny.folder().join("none/card.md"), &[])).contains("there is no folder"));
}

/// What the file says of its likelihood.
fn likelihood(file: &Path) -> Value {
    let header = symdiff_train::checkpoint::header(file).unwrap();
    header.record.facts["provenance"]["scores"]["nll"].clone()
}

/// Of a single time, estimates differ less from draw to draw than from molecule to molecule: a wrong number within the spread of molecules is found.
#[test]
fn a_likelihood_is_compared_with_that_of_the_same_molecules() {
    let tiny = Tiny::untrained();
    json(&["train", text(tiny.experiment()), "--set", "diffusion.steps=1", "--out", text(tiny.run()), "--json"]);
    let file = tiny.folder().join("tiny.safetensors");
    let export = ["export", "--run", text(tiny.run()), "--out", text(&file), "--samples", "40", "--steps", "1", "--nll-molecules", "30"];
    json(&[&export[..], &["--json"]].concat());
    let recorded = likelihood(&file);
    let number = |key: &str| recorded[key].as_f64().unwrap();
    assert!(2.5 * number("noise_error") < number("standard_error"), "{recorded}");
    // The number is that of `nll`.
    let nll = json(&["nll", "--run", text(&file), "--limit", "30", "--json"]);
    assert_eq!((&nll["nll"], &nll["standard_error"]), (&recorded["mean"], &recorded["standard_error"]));
    json(&["verify", text(&file), "--scores", "--json"]);
    let wrong = number("mean") + 3.0 * number("standard_error");
    let boast = forged(&file, |header| header["record"]["facts"]["provenance"]["scores"]["nll"]["mean"] = wrong.into());
    assert!(refusal(&["verify", text(&boast), "--scores"]).contains("nll"));
}

#[test]
fn molecules_of_unseen_sizes_are_not_counted_as_scored() {
    let tiny = Tiny::untrained();
    let odd = symdiff_mol::data::Split::published(40).test[1];
    let frame = |at| if at == odd { "2\nm\nH 0 0 0\nH 0 0 0.74\n" } else { "3\nm\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n" };
    let data = write(tiny.folder(), "forty.xyz", (0..40).map(frame).collect::<String>());
    let setting = format!("data.path='{}'", data.display());
    json(&["train", text(tiny.experiment()), "--set", &setting, "--out", text(tiny.run()), "--json"]);
    let file = exported(&tiny, &[]);
    let recorded = likelihood(&file);
    assert_eq!((&recorded["molecules"], &recorded["unseen_sizes"]), (&3.into(), &1.into()));
    json(&["verify", text(&file), "--scores", "--data", text(&data), "--json"]);
    assert!(String::from_utf8(symdiff(&["card", text(&file)]).stdout).unwrap().contains("(3 held-out molecules)"));
}

#[test]
fn without_a_name_the_model_that_is_compiled_in_draws() {
    let folder = tempfile::tempdir().unwrap();
    let (out, page) = (folder.path().join("m.sdf"), folder.path().join("m.html"));
    let command = ["sample", "-n", "2", "--steps", "2", "--out", text(&out), "--gallery", text(&page)];
    if symdiff_cli::builtin::weights().iter().any(|(name, _)| *name == "symdiff-given-small") {
        assert_eq!(json(&[&command[..], &["--json"]].concat())["molecules"], 2);
        assert!(page.exists());
    } else {
        assert!(refusal(&command).contains("no weights of symdiff-given-small are compiled into this program"));
    }
}

#[test]
fn files_of_the_hub_are_named_and_used_without_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("hub/models--owner--model/snapshots/0123abcd");
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::create_dir_all(folder.path().join("hub/models--owner--model/refs")).unwrap();
    write(&folder.path().join("hub/models--owner--model/refs"), "main", "0123abcd");
    let kept = write(&snapshot, "m.safetensors", "weights");
    let fetch = |name: &str| {
        let mut command = common::binary();
        command.args(["fetch", name, "--json"]).env("HF_HOME", folder.path()).env("HF_HUB_OFFLINE", "1").env_remove("HF_HUB_CACHE");
        command.output().unwrap()
    };
    let found: Value = serde_json::from_slice(&fetch("hf:owner/model/m.safetensors").stdout).unwrap();
    assert_eq!((found["file"].as_str().unwrap(), &found["bytes"]), (text(&kept), &7.into()));
    let missing = fetch("hf:owner/model/other.safetensors");
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("HF_HUB_OFFLINE"));
    assert_eq!(fetch("owner/model/m.safetensors").status.code(), Some(2));
}
