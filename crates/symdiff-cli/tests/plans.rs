//! What is known before and after a training: `--dry-run`, and the metrics as a table.

mod common;

use common::{Tiny, json, refusal, symdiff, text, write};

#[test]
fn a_dry_run_tells_what_training_takes_and_leaves_nothing() {
    let tiny = Tiny::untrained();
    let arguments = ["train", text(tiny.experiment()), "--out", text(tiny.run()), "--set", "train.steps=50000", "--dry-run", "--json"];
    let plan = json(&arguments);
    let number = |key: &str| plan[key].as_f64().unwrap_or_else(|| panic!("{key} in {plan}"));
    assert!((number("steps") - 50_000.0).abs() < 1.0, "{plan}");
    // Parameters, gradients, two moments and the average, four bytes each.
    assert!(number("parameters") > 1000.0 && number("memory_bytes") > 20.0 * number("parameters"), "{plan}");
    assert!((number("hours") * 3600.0 / (number("seconds_per_step") * number("steps")) - 1.0).abs() < 1e-3, "{plan}");
    assert!(!tiny.run().exists());
    assert!(refusal(&["train", text(tiny.experiment()), "--set", "train.heads=2", "--dry-run"]).contains("heads"));
}

#[test]
fn a_dry_run_of_a_suite_has_a_row_for_each_run() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "mine.toml", "[model]\npreset = 'symdiff-tiny'\n[train]\nbatch = 4\nminutes = 6\n");
    let suite = "title = 'Mine'\nruns = ['mine']\nprotocol = 'edm-qm9'\nsamples = 4\ngroups = 2\nnll_molecules = 0\n";
    let suite = write(folder.path(), "own.toml", suite);
    let plan = json(&["reproduce", "--profile", text(&suite), "--dry-run", "--json"]);
    let hours = plan["hours"].as_f64().unwrap();
    assert!(plan["rows"][0]["name"] == "mine" && (hours - 0.1).abs() < 1e-3, "a budget of six minutes takes six minutes: {plan}");
}

#[test]
fn metrics_are_exported_as_a_table() {
    let tiny = Tiny::untrained();
    let settings = ["--set", "train.validate_every=2", "--set", "train.validate_samples=4", "--json"];
    json(&[&["train", text(tiny.experiment()), "--out", text(tiny.run())][..], &settings].concat());
    let output = symdiff(&["metrics", "--run", text(tiny.run())]);
    let table = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0], ["step", "loss", "gradient_norm", "lr", "seconds", "samples_per_s", "validation_loss"]);
    assert!(lines.len() == 3 && lines.iter().all(|line| line.len() == 7), "{table}");
    let rows = std::fs::read_to_string(tiny.run().join("metrics.jsonl")).unwrap();
    let loss = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["loss"].as_f64().unwrap();
    for (line, row) in lines[1..].iter().zip(rows.lines()) {
        assert_eq!(line[1].parse::<f64>().unwrap().to_bits(), loss(row).to_bits());
    }
    assert!(lines[1][6].is_empty() && lines[2][6].parse::<f64>().unwrap().is_finite(), "{table}");

    let out = tiny.folder().join("metrics.csv");
    let export = ["metrics", "--run", text(tiny.run()), "--out", text(&out), "--json"];
    assert_eq!(json(&export)["rows"], 2);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), table);
    write(tiny.folder(), "metrics.csv", "something else");
    assert!(refusal(&export).contains("--force"));
}
