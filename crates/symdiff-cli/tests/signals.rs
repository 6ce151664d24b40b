//! SIGINT, SIGTERM and SIGHUP: what a batch queue or a closed terminal sends costs no work and leaves no half file.
#![cfg(unix)]

mod common;

use common::{Tiny, binary, text, write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn start(arguments: &[&str]) -> Child {
    binary().args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
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
