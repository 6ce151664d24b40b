//! Published runs through the binary: import and evaluation, and the messages on what is assumed or left out.

mod common;

use common::{json, symdiff, text};
use std::path::{Path, PathBuf};

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../symdiff-models/tests/golden/import").join(file)
}

/// A model that padding enters: the likelihood is that of the published evaluation, unless the samplers' padding is asked for.
#[test]
fn an_import_is_judged_under_the_padding_of_the_published_evaluation() {
    let folder = tempfile::tempdir().unwrap();
    let (from, out) = (golden("averaged.npy"), folder.path().join("model.safetensors"));
    let made = symdiff(&["import", "--from", text(&from), "--model", "symdiff-tiny", "--out", text(&out), "--json"]);
    let said = String::from_utf8(made.stderr).unwrap();
    assert!(made.status.success() && said.contains("no args.pickle, so the run is taken for one with no conditioning"), "{said}");
    let nll = |more: &[&str]| json(&[&["nll", "--run", text(&out), "--limit", "6", "--batch", "6", "--json"][..], more].concat());
    let [default, longest, sampler] = [&[][..], &["--padding", "longest"], &["--padding", "sampler"]].map(nll);
    assert_eq!((&default["nll"], &default["padding"]), (&longest["nll"], &"longest".into()));
    assert_eq!(sampler["padding"], 29);
    assert_ne!(default["nll"], sampler["nll"]);
}

/// What an import draws sizes from is the published training set; molecules of other sizes are left out of an estimate with a warning.
#[test]
fn a_run_with_its_arguments_needs_no_name_and_unseen_sizes_are_loud() {
    let folder = tempfile::tempdir().unwrap();
    let (from, out) = (golden("run/generative_model_ema.npy"), folder.path().join("model.safetensors"));
    let made = json(&["import", "--from", text(&from), "--out", text(&out), "--json"]);
    assert!(made["args"].as_str().is_some_and(|path| path.ends_with("args.pickle")), "{made}");
    assert_eq!((&made["sizes_from"], made["assumed"].as_array().map(Vec::len)), (&"published".into(), Some(0)));
    let molecules = folder.path().join("molecules.xyz");
    let row = |atom: usize| format!("C {} 0 0\n", 1.4 * atom as f64);
    let chain = |atoms: usize| [format!("{atoms}\n\n"), (0..atoms).map(row).collect::<Vec<_>>().concat()].concat();
    std::fs::write(&molecules, [chain(9), chain(40)].concat()).unwrap();
    let judged = symdiff(&["nll", "--run", text(&out), "--data", text(&molecules), "--split", "all", "--json"]);
    let said = String::from_utf8(judged.stderr).unwrap();
    assert!(judged.status.success() && said.contains("1 of 2 molecules (50.0 %) have sizes that the model never saw"), "{said}");
}
