//! `--resume` continues the same run, and does not reuse outdated results.

mod common;

use common::{Tiny, json, refusal, symdiff, text, write};
use serde_json::Value;

const SUITE: &str = "title = 'Tiny'\nruns = ['tiny']\nprotocol = 'edm-qm9'\nsamples = 4\ngroups = 2\nnll_molecules = 4\n\
    settings = ['diffusion.steps=5']\n";

#[test]
fn a_mistyped_folder_is_no_run_to_resume() {
    let tiny = Tiny::trained();
    let wrong = tiny.folder().join("rnu");
    assert!(refusal(&["train", text(tiny.experiment()), "--out", text(&wrong), "--resume"]).contains("no run to resume"));
    assert!(refusal(&["reproduce", "--profile", "smoke", "--out", text(&wrong), "--resume"]).contains("nothing to resume"));
    assert!(!wrong.exists());
}

/// Once for all seeds, and not where one of them has begun.
#[test]
fn that_there_is_nothing_to_go_on_from_is_said_once() {
    let tiny = Tiny::trained();
    let suite = write(tiny.folder(), "suite.toml", format!("seeds = [0, 1, 2]\n{SUITE}"));
    let (out, one) = (tiny.folder().join("out"), write(tiny.folder(), "one.xyz", "1\nm\nH 0 0 0\n"));
    std::fs::create_dir(&out).unwrap();
    let warned = || {
        // The data are refused after the folders are looked at.
        let output = symdiff(&["reproduce", "--profile", text(&suite), "--data", text(&one), "--out", text(&out), "--resume"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains("one.xyz"), "{said}");
        said.lines().filter(|line| line.contains("has a checkpoint")).count()
    };
    assert_eq!(warned(), 1);
    std::fs::create_dir(out.join("tiny")).unwrap();
    std::fs::rename(tiny.run(), out.join("tiny/seed-0")).unwrap();
    assert_eq!(warned(), 0);
}

#[test]
fn another_seed_is_another_run() {
    let tiny = Tiny::trained();
    let (experiment, run) = (tiny.experiment(), tiny.run());
    let resume = ["train", text(experiment), "--out", text(run), "--resume"];
    assert!(refusal(&[&resume[..], &["--seed", "1"]].concat()).contains("seed 0, not 1"));
    json(&[&resume[..], &["--seed", "0", "--json"]].concat());
    json(&[&resume[..], &["--json"]].concat());
}

#[test]
fn molecules_of_a_reproduction_are_those_of_its_model() {
    let tiny = Tiny::untrained();
    let (suite, out) = (write(tiny.folder(), "suite.toml", SUITE), tiny.folder().join("out"));
    let reproduce = |more: &[&str]| json(&[&["reproduce", "--profile", text(&suite), "--out", text(&out), "--json"], more].concat());
    let run = out.join("tiny");
    let record = || -> Value { serde_json::from_slice(&std::fs::read(run.join("samples.json")).unwrap()).unwrap() };
    let molecules = || std::fs::read(run.join("samples.xyz")).unwrap();
    reproduce(&["--seed", "3"]);
    let (first, drawn) = (record(), molecules());
    assert_eq!((&first["origin"]["step"], &first["origin"]["seed"], &first["origin"]["molecules"]), (&2.into(), &3.into(), &4.into()));

    // Nothing changed: nothing is drawn again, and the seed is the run's.
    reproduce(&["--resume"]);
    assert_eq!(record(), first);

    // A longer budget is another model.
    reproduce(&["--resume", "--set", "train.steps=4"]);
    let longer = record();
    assert!(longer["origin"]["step"] == 4 && longer["origin"]["weights"] != first["origin"]["weights"]);
    assert!(molecules() != drawn);

    // A file that was changed by hand is not what the record speaks of.
    let own = molecules();
    std::fs::write(run.join("samples.xyz"), &drawn).unwrap();
    reproduce(&["--resume"]);
    assert!(molecules() == own);

    // A record of an earlier version does not say in which precision and on which device: drawn again, to the same molecules, with a sentence.
    assert_eq!((&longer["origin"]["precision"], &longer["origin"]["device"]), (&"f32".into(), &"cpu".into()));
    let mut older = record();
    older["origin"].as_object_mut().unwrap().retain(|key, _| !["precision", "device"].contains(&key.as_str()));
    std::fs::write(run.join("samples.json"), older.to_string()).unwrap();
    let output = symdiff(&["reproduce", "--profile", text(&suite), "--out", text(&out), "--resume"]);
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("does not say in which precision"));
    assert!(record()["origin"]["precision"] == "f32" && molecules() == own);

    // The report shows the first molecule forming.
    let frames = symdiff_mol::formats::open(&run.join("chain.xyz")).unwrap().count();
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(frames == 7 && page.contains("A molecule forming") && page.contains("<figcaption>t = 1.000</figcaption>"), "{frames} frames");

    let again = ["reproduce", "--profile", text(&suite), "--out", text(&out), "--resume", "--seed", "4"];
    assert!(refusal(&again).contains("seed 3, not 4"));
    assert!(refusal(&again[..5]).contains("--resume"));
}

#[test]
fn each_sampling_of_a_suite_is_drawn_once() {
    let tiny = Tiny::untrained();
    let samplings = "[[samplings]]\nsamplers = ['ancestral', 'stochastic-euler']\ncalls = [5, 2]\nchurn = 1.5\n";
    let suite = write(tiny.folder(), "suite.toml", format!("{SUITE}{samplings}"));
    let out = tiny.folder().join("out");
    let reproduce = |more: &[&str]| json(&[&["reproduce", "--profile", text(&suite), "--out", text(&out), "--json"], more].concat());
    let first = reproduce(&[]);
    let records = || -> Vec<(String, String)> {
        let files = std::fs::read_dir(out.join("tiny/samples")).unwrap().map(|entry| entry.unwrap().path());
        let records = files.filter(|file| file.extension().is_some_and(|ending| ending == "json"));
        let mut records: Vec<_> =
            records.map(|file| (file.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&file).unwrap())).collect();
        records.sort();
        records
    };
    // Five ancestral steps are the run's own sampling, which stands beside the folder.
    let drawn = records();
    let names: Vec<&str> = drawn.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ancestral-uniform-fresh-2", "stochastic-euler-1.5-uniform-fresh-2", "stochastic-euler-1.5-uniform-fresh-5"]);
    assert_eq!(std::fs::read_to_string(out.join("cells.csv")).unwrap().lines().count(), 1 + 4);
    let cells = |summary: &Value| summary["rows"][0]["cells"].as_array().unwrap().clone();
    assert_eq!(cells(&first).len(), 4);
    assert_eq!(cells(&first)[0]["atom_stability"], first["rows"][0]["atom_stability"]);

    let again = reproduce(&["--resume"]);
    assert_eq!((records(), cells(&again)), (drawn, cells(&first)));
}

#[test]
fn what_is_refused_makes_no_folder() {
    let tiny = Tiny::untrained();
    let (suite, out) = (write(tiny.folder(), "suite.toml", SUITE), tiny.folder().join("out"));
    let xenon = write(tiny.folder(), "xenon.xyz", "1\n\nXe 0 0 0\n".repeat(40));
    let data = format!("data.path=\"{}\"", text(&xenon));
    for settings in [&data[..], "data.path=\"missing.npz\"", "train.lr=-1"] {
        refusal(&["train", text(tiny.experiment()), "--out", text(&out), "--set", settings]);
        assert!(!out.exists(), "train --set {settings}");
        refusal(&["reproduce", "--profile", text(&suite), "--out", text(&out), "--set", settings]);
        assert!(!out.exists(), "reproduce --set {settings}");
    }
}
