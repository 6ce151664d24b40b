//! The benchmarks' output.

use serde_json::Value;
use std::process::{Command, Output};

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output().expect("the binary starts")
}

/// The object on the last line of stdout.
fn json(arguments: &[&str]) -> Value {
    let output = xtask(arguments);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

/// The one sentence of a refused input.
fn refusal(arguments: &[&str]) -> String {
    let output = xtask(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

#[test]
fn a_profile_accounts_for_all_thread_time() {
    let summary =
        json(&["bench", "step", "--model", "symdiff-tiny", "--batch", "8", "--steps", "2", "--threads", "2", "--profile", "--json"]);
    let rows = summary["profile"].as_array().unwrap();
    let share: f64 = rows.iter().map(|row| row["share"].as_f64().unwrap()).sum();
    assert!((share - 1.0).abs() < 1e-9, "{share}");
    for op in ["matrix products", "ragged_attention", "ada_layer_norm", "adamw"] {
        let row = rows.iter().find(|row| row["op"] == op).unwrap_or_else(|| panic!("no row of {op}"));
        assert!(row["calls"].as_u64() > Some(0) && row["thread_s"].as_f64() > Some(0.0), "{row}");
    }
    assert_eq!(rows.last().unwrap()["op"], "outside ops");
}

#[test]
fn without_a_profile_nothing_listens() {
    let summary = json(&["bench", "sample", "--model", "symdiff-tiny", "--batch", "8", "--steps", "2", "--json"]);
    assert!(summary["profile"].is_null());
    assert!(summary["sample_s_per_call"].as_f64() > Some(0.0));
}

#[test]
fn operations_are_counted_and_clouds_have_the_size_asked_for() {
    let bench = |kind, atoms| json(&["bench", kind, "--model", "dit-matched", "--clouds", atoms, "--batch", "2", "--steps", "1", "--json"]);
    let flops = |summary: &Value| summary["flops"].as_u64().unwrap();
    let (call, larger, step) = (bench("sample", "5"), bench("sample", "10"), bench("step", "5"));
    assert_eq!((&call["atoms"], &larger["atoms"]), (&5.0.into(), &10.0.into()));

    // Two molecules through four blocks of width 128: linear layers and attention; what stands at both ends; the time, which is one row.
    let expected = |atoms: u64| {
        let (rows, width) = (2 * atoms, 128);
        let block = 2 * rows * width * (3 * width + width + 4 * width + 2 * width) + 4 * (2 * atoms * atoms) * width;
        let ends = 2 * rows * (9 * 64 + 64 * 64 + width * 9);
        let time = 2 * (256 * width + width * width + (4 * 6 + 2) * width * width);
        4 * block + ends + time
    };
    assert_eq!((flops(&call), flops(&larger)), (expected(5), expected(10)));

    // A backward pass is two forward passes, less what no gradient is needed for.
    let ratio = flops(&step) as f64 / flops(&call) as f64;
    assert!((2.5..3.3).contains(&ratio), "{ratio}");
}

#[test]
fn without_a_warm_up_nothing_is_counted() {
    let summary =
        json(&["bench", "sample", "--model", "symdiff-tiny", "--clouds", "4", "--batch", "2", "--steps", "1", "--warmup", "0", "--json"]);
    assert!(summary["flops"].is_null() && summary["flops_per_s"].is_null());
    assert!(refusal(&["bench", "step", "--model", "symdiff-tiny", "--clouds", "0"]).contains("--clouds must be at least 1"));
}

#[test]
fn backbones_are_measured_at_equal_size_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let command = ["bench", "backbones", "--atoms", "3,5", "--batches", "2", "--steps", "1", "--threads", "2", "--json", "--out", out];
    let summary = json(&command);
    let rows = summary["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 14);
    let number = |row: &Value, key: &str| row[key].as_f64().unwrap_or_else(|| panic!("no {key} in {row}"));
    let parameters: Vec<f64> = rows.iter().map(|row| number(row, "parameters")).collect();
    let (least, most) = parameters.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), &p| (low.min(p), high.max(p)));
    assert!(most / least < 1.02, "{parameters:?}");
    for row in rows {
        let positive =
            ["train_s_per_molecule", "train_bytes", "train_flops", "sample_s_per_molecule", "sample_flops", "sample_flops_per_s"];
        assert!(positive.iter().all(|key| number(row, key) > 0.0), "{row}");
        let label = row["label"].as_str().unwrap();
        if ["DiT + frames", "DiT + principal axes"].contains(&label) {
            // What these draw cannot be moved with the molecule.
            assert!(number(row, "pointwise_error").is_finite() && row["coupled_gap"].is_null(), "{row}");
            continue;
        }
        // Equivariant by construction, not equivariant, equivariant in law.
        let errors = [number(row, "pointwise_error"), number(row, "coupled_gap")];
        let rounding = match label {
            "EGNN" => [true, true],
            "GNN" | "DiT" => [false, false],
            _ => [false, true],
        };
        assert_eq!(errors.map(|error| error < 1e-4), rounding, "{row}");
        assert!(errors.iter().all(|error| !(1e-4..0.05).contains(error)), "{row}");
    }
    let table = std::fs::read_to_string(folder.path().join("backbones.csv")).unwrap();
    assert_eq!(table.lines().count(), 15);
    let picture = std::fs::read_to_string(folder.path().join("backbones.svg")).unwrap();
    roxmltree::Document::parse(&picture).unwrap();

    assert!(refusal(&command).contains("add --resume"));
    assert!(refusal(&["bench", "backbones", "--precision", "fp16", "--out", out]).contains("use f32 or bf16"));
    assert!(refusal(&["bench", "backbones", "--budget", "nan", "--out", out]).contains("give a number of seconds"));
    // The last measurement, cut short, is repeated, and no other.
    let cells = folder.path().join("cells.jsonl");
    let text = std::fs::read_to_string(&cells).unwrap();
    assert_eq!(text.lines().count(), 42);
    let threads = |line| serde_json::from_str::<Value>(line).unwrap()["result"]["threads"].as_u64();
    assert!(text.lines().filter_map(threads).all(|threads| threads == 2), "cells are measured on the threads asked for");
    std::fs::write(&cells, &text[..text.len() - 20]).unwrap();
    let again = json(&[&command[..], &["--resume"]].concat());
    let rows_again = again["rows"].as_array().unwrap();
    assert_eq!(rows[..13], rows_again[..13]);
    assert!(number(&rows_again[13], "sample_s_per_call") > 0.0);
    let added = std::fs::read_to_string(&cells).unwrap();
    assert!(added.starts_with(&text[..text.len() - 20]) && added.lines().count() == 43);
}

#[test]
fn every_op_is_timed_beside_its_bound() {
    let summary = json(&["bench", "ops", "--batch", "1", "--rounds", "1", "--threads", "2", "--json"]);
    assert_eq!((&summary["batch"], &summary["atoms"]), (&16.into(), &290.into()));
    let rows = summary["ops"].as_array().unwrap();
    assert_eq!(rows.len(), 21);
    for row in rows {
        assert!(row["seconds"].as_f64() > Some(0.0) && row["bound_s"].as_f64() > Some(0.0), "{row}");
    }
    assert!(refusal(&["bench", "ops", "--precision", "f16"]).contains("use f32 or bf16"));
}

/// Half of what is asked for is there, and is what is counted; below two molecules a group there is no error to tell.
#[test]
fn levels_are_measured_on_the_molecules_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let water = "3\nwater\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n";
    let trained = |count: usize| {
        let (data, run) = (folder.path().join(format!("{count}.xyz")), folder.path().join(count.to_string()));
        std::fs::write(&data, water.repeat(count)).unwrap();
        let experiment = folder.path().join("tiny.toml");
        let text = format!("data.path = '{}'\nmodel.preset = 'symdiff-tiny'\ntrain.batch = 8\ntrain.steps = 1\n", data.display());
        std::fs::write(&experiment, text).unwrap();
        json(&["train", experiment.to_str().unwrap(), "--out", run.to_str().unwrap(), "--json"]);
        run.to_str().unwrap().to_owned()
    };
    let levels = |run: &str| ["bench", "levels", "--run", run, "--steps", "2", "--times", "1,0.5"].map(str::to_owned);
    let (few, enough) = (levels(&trained(190)), levels(&trained(250)));
    let [few, enough] = [&few, &enough].map(|command| command.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(refusal(&few).contains("has 19 molecules; at least 20 are needed"));
    let summary = json(&[&enough[..], &["--json"]].concat());
    assert_eq!((&summary["molecules"], summary["rows"].as_array().unwrap().len()), (&25.into(), 2));
}

#[test]
fn sums_beside_the_backward_pass_are_timed_and_one_process_is_refused() {
    let arguments = ["bench", "overlap", "--model", "symdiff-tiny", "--batch", "8", "--steps", "2"];
    let summary = json(&[&arguments[..], &["--bandwidth", "0.1", "--json"]].concat());
    for way in ["after", "beside"] {
        assert_eq!(summary[format!("{way}_seconds")].as_array().unwrap().len(), 4);
        assert!(summary[format!("sums_{way}_s_per_step")].as_f64() > Some(0.0));
    }
    let refused = refusal(&[&arguments[..], &["--processes", "1"]].concat());
    assert!(refused.contains("--processes at least 2"), "{refused}");
}
