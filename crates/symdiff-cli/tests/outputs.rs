//! What a command may do to files: it checks outputs before the work, replaces an older file by a whole one or not at all, and overwrites nothing
//! that it did not make.
#![cfg(unix)]

mod common;

use common::{Tiny, binary, json, limited, refusal, text, write};
use std::fs::read;
use std::path::Path;

const WATER: &str = "3\nwater\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n";

/// The names in a folder, hidden ones too.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_doctor_tells_what_there_is() {
    let found = json(&["doctor", "--threads", "1", "--json"]);
    assert_eq!(found["threads"], 1);
    assert!(found["free_memory_gib"].as_f64().unwrap() > 0.1 && !found["instructions"].as_str().unwrap().is_empty(), "{found}");
    let processes = found["processes"].as_str().unwrap();
    assert_eq!(processes.starts_with("one"), !cfg!(any(feature = "mpi", feature = "nccl")), "{processes}");
}

/// Programs tell their version in a line of their own, some below a banner.
#[test]
fn the_doctor_names_versions() {
    let folder = tempfile::tempdir().unwrap();
    let told = |name, lines: &str| common::on_path(folder.path(), name, &format!("#!/bin/sh\nprintf '{lines}'\n"));
    told("mpirun", "mpirun (Some MPI) 9.8.7\\n\\nBugs go there\\n");
    let path = told("xtb", "  | x T B |\\n\\n   * xtb version 6.5.4 (abc)\\n");
    let output = binary().args(["doctor", "--json"]).env("PATH", path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("\"mpirun (Some MPI) 9.8.7") && said.contains("\"xtb version 6.5.4 (abc): `evaluate --xtb`"), "{said}");
}

#[test]
fn a_summary_shows_lists_on_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let output = common::symdiff(&["data", "inspect", text(&write(folder.path(), "water.xyz", WATER))]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for (key, value) in [("elements", "H 2, O 1"), ("properties", "none"), ("split", "test 0, train 0, valid 1"), ("molecules", "1")] {
        assert!(said.lines().any(|line| line.split_once(' ').is_some_and(|(k, v)| k == key && v.trim() == value)), "{key}: {said}");
    }
    assert!(!said.contains("sizes"), "{said}");
}

#[test]
fn an_input_is_never_an_output() {
    let folder = tempfile::tempdir().unwrap();
    let source = write(folder.path(), "water.xyz", WATER);
    std::os::unix::fs::symlink(&source, folder.path().join("link.xyz")).unwrap();
    for name in [text(&source), text(&folder.path().join("link.xyz"))] {
        assert!(refusal(&["evaluate", "--molecules", text(&source), "--rows", name]).contains("is the input"));
        assert!(refusal(&["evaluate", "--molecules", text(&source), "--rows", name, "--force"]).contains("is the input"));
    }
    assert_eq!(std::fs::read_to_string(&source).unwrap(), WATER);

    let tiny = Tiny::trained();
    let (folder, run) = (tiny.folder(), text(tiny.run()));
    let packed = folder.join("packed.safetensors");
    json(&["data", "prepare", text(&source), "--out", text(&packed), "--json"]);
    write(tiny.run(), "validation.jsonl", "");
    let [metrics, validation, checkpoint] = ["metrics.jsonl", "validation.jsonl", "last.safetensors"].map(|name| tiny.run().join(name));
    let vary = ["sample", "--run", run, "-n", "1", "--steps", "2", "--noise", "0.5", "--from", text(&source), "--out", text(&source)];
    let nll = |out| vec!["nll", "--run", run, "--data", text(&packed), "--shard", "0/2", "--out", out];
    let commands: [(&Path, Vec<&str>); 6] = [
        (&source, vary.to_vec()),
        (&metrics, vec!["metrics", "--run", run, "--out", text(&metrics)]),
        (&validation, vec!["metrics", "--run", run, "--out", text(&validation)]),
        (&packed, vec!["export", "--run", run, "--samples", "0", "--data", text(&packed), "--out", text(&packed)]),
        (&packed, nll(text(&packed))),
        (&checkpoint, nll(text(&checkpoint))),
    ];
    for (input, command) in commands {
        let before = read(input).unwrap();
        let sentence = refusal(&[&command[..], &["--force"]].concat());
        assert!(sentence.contains("is the input") && read(input).unwrap() == before, "{command:?}: {sentence}");
    }
}

/// The moments of the optimiser in a checkpoint are in no file of weights: who replaces the one by the other ends a run.
#[test]
fn a_checkpoint_to_go_on_from_is_replaced_by_weights_on_request_alone() {
    let tiny = Tiny::trained();
    let kept = tiny.folder().join("kept.safetensors");
    std::fs::copy(tiny.run().join("last.safetensors"), &kept).unwrap();
    let before = read(&kept).unwrap();
    let export = ["export", "--run", text(tiny.run()), "--samples", "0", "--out", text(&kept)];
    // What is to be imported is not looked at before.
    let import = ["import", "--from", "none.npy", "--model", "symdiff-tiny", "--out", text(&kept)];
    for command in [&export[..], &import] {
        let sentence = refusal(command);
        assert!(sentence.contains("other than weights alone") && sentence.contains("--force"), "{sentence}");
        assert!(read(&kept).unwrap() == before);
    }
    assert!(refusal(&[&export[..], &["--force", "--given", "gap=5"]].concat()).contains("--samples 0 draws none"));
    json(&[&export[..], &["--force", "--json"]].concat());
    // One file of weights replaces another.
    assert!(refusal(&import).contains("none.npy"));
    json(&[&export[..], &["--json"]].concat());
}

#[test]
fn a_file_of_another_kind_is_replaced_on_request_alone() {
    let tiny = Tiny::trained();
    let (folder, checkpoint) = (tiny.folder(), tiny.run().join("last.safetensors"));
    let water = write(folder, "water.xyz", WATER);
    let before = read(&checkpoint).unwrap();
    let prepare = ["data", "prepare", text(&water), "--out", text(&checkpoint)];
    assert!(refusal(&prepare).contains("--force"));
    let page = write(folder, "page.html", "not a page");
    let sample = ["sample", "--run", text(tiny.run()), "-n", "1", "--steps", "2", "--out", "s.xyz", "--gallery", text(&page)];
    assert!(refusal(&sample).contains("--force"));
    for target in [&checkpoint, &water] {
        assert!(refusal(&["evaluate", "--molecules", "embedded.xyz", "--rows", text(target)]).contains("--force"));
    }
    assert!(read(&checkpoint).unwrap() == before);

    let packed = folder.join("packed.safetensors");
    for _ in 0..2 {
        json(&["data", "prepare", text(&water), "--out", text(&packed), "--json"]);
    }
    json(&[&prepare[..], &["--force", "--json"]].concat());
    assert!(json(&["data", "verify", text(&checkpoint), "--json"])["sound"] == true);
}

#[test]
fn places_are_checked_before_the_work() {
    let tiny = Tiny::trained();
    let run = tiny.run();
    let sample = |out: &str, more: &[&str]| refusal(&[&["sample", "--run", text(run), "-n", "1000000000", "--out", out], more].concat());
    assert!(sample("no/such/s.xyz", &[]).contains("there is no folder no/such"));
    assert!(sample("s.pdf", &[]).contains("the ending names no format"));
    assert!(sample(text(tiny.folder()), &[]).contains("is a folder"));
    let out = tiny.folder().join("s.xyz");
    assert!(sample(text(&out), &["--gallery", "no/such/g.html"]).contains("there is no folder"));
    assert!(sample(text(&out), &["--gallery", "g.txt"]).contains(".html"));
    assert!(sample(text(&out), &["--steps", "1001"]).contains("give 1 to 1000"));
    assert_eq!(names(tiny.folder()), ["run", "tiny.toml"], "a refusal leaves something behind");
    assert!(refusal(&["evaluate", "--molecules", text(tiny.folder())]).contains(text(tiny.folder())));
    assert!(refusal(&["import", "--from", "/dev/zero", "--model", "dit-qm9", "--out", "weights.safetensors"]).contains("no regular file"));
    assert!(refusal(&["sample", "--run", "/dev/zero", "--out", text(&out)]).contains("no regular file"));
    assert!(refusal(&["train", text(tiny.folder()), "--out", text(&out)]).contains("a folder, not an experiment file"));
    assert!(refusal(&["train", text(tiny.experiment()), "--out", text(tiny.experiment())]).contains("cannot create the run folder"));
    assert!(refusal(&["sample", "--run", "Cargo.toml", "--threads", "100000", "--out", "s.xyz"]).contains("--threads 100000"));
}

/// A limit on file sizes stands in for the full disk.
#[test]
fn a_full_disk_is_exit_code_1_and_older_files_stay() {
    let tiny = Tiny::trained();
    let (folder, run) = (tiny.folder(), tiny.run());
    let frames = WATER.repeat(2000);
    let many = write(folder, "many.xyz", &frames);
    let (samples, rows, packed) = (folder.join("samples.xyz"), folder.join("rows.jsonl"), folder.join("packed.safetensors"));
    let weights = folder.join("weights.safetensors");
    let commands: [(&Path, Vec<&str>); 4] = [
        (&weights, vec!["export", "--run", text(run), "--samples", "0", "--out", text(&weights)]),
        (&samples, vec!["sample", "--run", text(run), "-n", "100", "--steps", "2", "--out", text(&samples)]),
        (&rows, vec!["evaluate", "--molecules", text(&many), "--rows", text(&rows)]),
        (&packed, vec!["data", "prepare", text(&many), "--out", text(&packed)]),
    ];
    for (out, command) in commands {
        json(&[&command[..], &["--json"]].concat());
        let (before, there) = (read(out).unwrap(), names(folder));
        let output = limited(4, &command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{command:?}: {stderr}");
        assert!(stderr.lines().last().unwrap().contains(out.file_name().unwrap().to_str().unwrap()), "{stderr}");
        assert!(read(out).unwrap() == before, "{command:?} replaced its older file");
        let left: Vec<String> = names(folder).into_iter().filter(|name| !there.contains(name)).collect();
        assert!(left.is_empty(), "{command:?} left {left:?}");
    }
}

#[test]
fn a_failing_gallery_loses_no_molecule() {
    let tiny = Tiny::trained();
    let out = tiny.folder().join("s.xyz");
    let arguments = ["sample", "--run", text(tiny.run()), "-n", "3", "--steps", "2", "--out", text(&out), "--gallery", "/dev/full"];
    let output = binary().args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(json(&["evaluate", "--molecules", text(&out), "--json"])["molecules"], 3);
}

#[test]
fn a_summary_that_cannot_be_printed_is_one_sentence_and_code_1() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for command in [&["data", "inspect"][..], &["data", "inspect", "--json"], &["completions", "bash"], &["man"]] {
        let output = binary().args(command).stdout(full()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && stderr.starts_with("error: cannot write to stdout"), "{command:?}: {stderr}");
    }
    // Nobody reads the log of this one, and it works.
    assert!(binary().args(["data", "inspect"]).stderr(full()).output().unwrap().status.success());
}

/// Linux allows names that are no UTF-8.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_utf8_are_names() {
    use std::os::unix::ffi::OsStrExt;
    let tiny = Tiny::untrained();
    let folder = tiny.folder().join(std::ffi::OsStr::from_bytes(b"r\xffn"));
    let output = binary().args(["train", text(tiny.experiment()), "--json", "--out"]).arg(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let samples = tiny.folder().join(std::ffi::OsStr::from_bytes(b"s\xff.xyz"));
    let output =
        binary().args(["sample", "-n", "2", "--steps", "2", "--json", "--run"]).arg(&folder).arg("--out").arg(&samples).output().unwrap();
    assert!(output.status.success() && samples.exists(), "{}", String::from_utf8_lossy(&output.stderr));
}
