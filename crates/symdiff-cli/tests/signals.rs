//! SIGINT, SIGTERM and SIGHUP: as sent by a batch system or a closed terminal; no work is lost and no partial file left.
#![cfg(unix)]

mod common;

use common::{Tiny, text, write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Starts the program with the signals' default actions: a shell that runs these tests in the background has them ignored, which the program respects.
fn start(arguments: &[&str]) -> Child {
    let default = ["--default-signal=INT,TERM,HUP"];
    // GNU's `env` can; others start the program with the signals as they are.
    let can = Command::new("env").args(default).arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    let mut command = Command::new("env");
    command.args(default.iter().filter(|_| can)).arg(env!("CARGO_BIN_EXE_symdiff")).args(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success());
}

/// Waits until something is there; a minute is more than it takes.
fn until(there: impl Fn() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing happens");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn hidden(folder: &Path) -> usize {
    folder.read_dir().unwrap().filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".partial")).count()
}

#[test]
fn sampling_and_judging_end_at_once_and_leave_nothing() {
    let tiny = Tiny::trained();
    let (folder, run) = (tiny.folder(), tiny.run());
    let (samples, rows) = (write(folder, "samples.xyz", "1\nolder\nH 0 0 0\n"), folder.join("rows.jsonl"));
    let many = write(folder, "many.xyz", "3\nw\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n".repeat(2_000_000));
    let sample = ["sample", "--run", text(run), "-n", "100000", "--out", text(&samples)];
    let judge = ["evaluate", "--molecules", text(&many), "--rows", text(&rows)];
    for (signal, code, command) in [("INT", 130, &sample[..]), ("TERM", 143, &sample), ("HUP", 129, &judge)] {
        let mut child = start(command);
        until(|| hidden(folder) > 0);
        send(signal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        assert_eq!(hidden(folder), 0, "{signal} leaves a half file");
    }
    assert_eq!(std::fs::read_to_string(&samples).unwrap(), "1\nolder\nH 0 0 0\n");
    assert!(!rows.exists());
}

/// `nohup` asks for hang-ups to be ignored.
#[test]
fn an_ignored_signal_stays_ignored() {
    let tiny = Tiny::trained();
    let samples = tiny.folder().join("samples.xyz");
    let command = ["sample", "--run", text(tiny.run()), "-n", "20", "--steps", "200", "--out", text(&samples)];
    let script = "trap '' HUP; exec \"$@\"";
    let mut child = Command::new("bash")
        .args(["-c", script, "bash", env!("CARGO_BIN_EXE_symdiff")])
        .args(command)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until(|| hidden(tiny.folder()) > 0);
    send("HUP", &child);
    assert!(child.wait().unwrap().success() && samples.exists());
}

#[test]
fn training_saves_says_where_and_goes_on_as_if_nothing_had_been() {
    let tiny = Tiny::untrained();
    let (whole, broken) = (tiny.folder().join("whole"), tiny.run());
    let experiment = tiny.experiment();
    let train = |out: &'_ Path, more: &[&str]| -> Vec<String> {
        let words = [&["train", text(experiment), "--set", "train.steps=400", "--out", text(out)], more].concat();
        words.into_iter().map(str::to_owned).collect()
    };
    let run = |words: &[String]| -> Child { start(&words.iter().map(String::as_str).collect::<Vec<_>>()) };
    assert!(run(&train(&whole, &[])).wait().unwrap().success());
    let (first, resumed) = (train(broken, &[]), train(broken, &["--resume"]));
    for (signal, code, command) in [("TERM", 143, &first), ("INT", 130, &resumed), ("HUP", 129, &resumed)] {
        let rows = |run: &Path| std::fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default().lines().count();
        let before = rows(broken);
        let child = run(command);
        until(|| rows(broken) > before + 10);
        send(signal, &child);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        let last = stderr.lines().last().unwrap();
        assert!(last.starts_with("interrupted: step ") && last.contains(text(broken)) && last.contains("--resume"), "{stderr}");
        let step: u64 = last.split_whitespace().nth(2).unwrap().trim_end_matches(',').parse().unwrap();
        assert!(step < 400, "the run was over before the signal; nothing was tested");
        assert_eq!(rows(broken) as u64, step, "the checkpoint is not of the last step");
    }
    assert!(run(&resumed).wait().unwrap().success());
    let losses = |run: &Path| -> Vec<(u64, u64)> {
        let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        rows.map(|row| (row["step"].as_u64().unwrap(), row["loss"].as_f64().unwrap().to_bits())).collect()
    };
    assert_eq!(losses(&whole), losses(broken));
}

/// A second signal ends the process without waiting for the step.
#[test]
fn a_second_signal_ends_at_once() {
    let tiny = Tiny::untrained();
    let run = tiny.run();
    let large = ["--set", "model.preset='symdiff-small'", "--set", "train.batch=1000", "--set", "train.steps=100"];
    let experiment = tiny.experiment();
    let child = start(&[&["train", text(experiment), "--out", text(run)], &large[..]].concat());
    until(|| run.join("metrics.jsonl").exists());
    send("TERM", &child);
    std::thread::sleep(Duration::from_millis(50));
    let clock = Instant::now();
    send("TERM", &child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(clock.elapsed() < Duration::from_secs(2), "a step of 1,000 molecules was waited for");
    assert!(!run.join("last.safetensors").exists());
}
