//! Runs through the real binary: killed, resumed, cut short by a full disk, refused.

mod common;

use common::{binary, json, refusal, symdiff, write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const TINY: &str = "[model]\npreset = 'symdiff-tiny'\n[train]\nbatch = 16\nlr = 1e-3\nsteps = 400\ncheckpoint_minutes = 0.0005\n";

/// Step, loss and gradient norm of every row, to the bit.
fn metrics(run: &Path) -> Vec<(u64, u64, u64)> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let row = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let bits = |key: &str| row[key].as_f64().unwrap().to_bits();
        (row["step"].as_u64().unwrap(), bits("loss"), bits("gradient_norm"))
    };
    text.lines().map(row).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_killed_run_resumes_bit_for_bit_and_samples_do_not_depend_on_batches_or_threads() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write(folder.path(), "tiny.toml", TINY);
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    let train = |out: &Path| json(&["train", text(&experiment), "--out", text(out), "--threads", "2", "--json"]);
    train(&whole);

    // SIGKILL as soon as there is a checkpoint to go on from.
    let arguments = ["train", text(&experiment), "--out", text(&broken), "--threads", "2"];
    let mut child = binary().args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !broken.join("last.safetensors").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let done = metrics_before_resume(&broken);
    assert!(done < 400, "the run was over before it was killed; nothing was tested");
    json(&["train", text(&experiment), "--out", text(&broken), "--threads", "2", "--resume", "--json"]);
    assert_eq!(metrics(&whole), metrics(&broken));

    let sample = |name: &str, batch: &str, threads: &str| {
        let out = folder.path().join(name);
        let run = ["sample", "--run", text(&whole), "-n", "9", "--steps", "25", "--batch", batch, "--threads", threads, "--seed", "4"];
        json(&[&run[..], &["--out", text(&out), "--json"]].concat());
        symdiff_mol::formats::open(&out).unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    let reference = sample("a.xyz", "9", "2");
    for (name, batch, threads) in [("b.xyz", "7", "2"), ("c.xyz", "9", "1")] {
        for (a, b) in reference.iter().zip(&sample(name, batch, threads)) {
            assert_eq!(a.atomic_numbers(), b.atomic_numbers(), "{name}");
            let apart = a.positions().iter().flatten().zip(b.positions().iter().flatten()).map(|(p, q)| (p - q).abs()).fold(0.0, f64::max);
            assert!(apart < 1e-4, "{name}: atoms differ by {apart} angstrom");
        }
    }
    let nll = json(&["nll", "--run", text(&whole), "--limit", "8", "--json"]);
    assert!(nll["nll"].as_f64().unwrap().is_finite());
    assert_eq!(nll["molecules"].as_u64().unwrap() + nll["unseen_sizes"].as_u64().unwrap(), 8);
}

fn metrics_before_resume(run: &Path) -> usize {
    std::fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines().count()
}

/// A limit on file size stands in for the full disk: writes fail half-way.
#[test]
fn a_full_disk_ends_the_run_with_code_1_and_the_last_checkpoint_survives() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write(folder.path(), "tiny.toml", TINY);
    let run = folder.path().join("run");
    json(&["train", text(&experiment), "--out", text(&run), "--set", "train.steps=3", "--json"]);
    let checkpoint = run.join("last.safetensors");
    let before = std::fs::read(&checkpoint).unwrap();

    let kib = before.len() / 1024 / 2;
    let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\"");
    let arguments = ["train", text(&experiment), "--out", text(&run), "--set", "train.steps=20", "--resume"];
    let output = Command::new("bash").args(["-c", &script, "bash", env!("CARGO_BIN_EXE_symdiff")]).args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.lines().last().unwrap().contains("last.safetensors"), "{stderr}");
    assert!(std::fs::read(&checkpoint).unwrap() == before, "the last good checkpoint changed");
    json(&["train", text(&experiment), "--out", text(&run), "--set", "train.steps=5", "--resume", "--json"]);
}

#[test]
fn bad_input_is_refused_with_one_sentence_and_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = write(folder.path(), "tiny.toml", TINY);
    let out = folder.path().join("run");
    let train = |extra: &[&str]| refusal(&[&["train", text(&experiment), "--out", text(&out)], extra].concat());

    assert!(refusal(&["train", "no/such.toml"]).contains("no/such.toml"));
    assert!(train(&["--set", "train.lrate=1"]).contains("lrate"));
    assert!(train(&["--set", "model.backbone.heads=5"]).contains("heads"));
    assert!(train(&["--set", "nonsense"]).contains("section.key=value"));
    assert!(train(&["--set", "data.path=\"missing.npz\""]).contains("missing.npz"));
    for (name, content, word) in [
        ("nan.xyz", "1\n\nH nan 0 0\n", "nan.xyz"),
        ("alien.xyz", "1\n\nXx 0 0 0\n", "Xx"),
        ("stranger.xyz", "1\n\nXe 0 0 0\n", "Xe"),
        ("none.xyz", "0\n\n", "none.xyz"),
        ("cut.xyz", "3\n\nH 0 0 0\n", "cut.xyz"),
    ] {
        let file = write(folder.path(), name, content.repeat(if name == "stranger.xyz" { 40 } else { 1 }));
        let sentence = train(&["--set", &format!("data.path=\"{}\"", text(&file))]);
        assert!(sentence.contains(word), "{name}: {sentence}");
    }

    json(&["train", text(&experiment), "--out", text(&out), "--set", "train.steps=1", "--json"]);
    assert!(train(&[]).contains("--resume"));
    assert!(train(&["--resume", "--set", "train.lr=0.5"]).contains("another experiment"));
    let cut = write(folder.path(), "cut.safetensors", &std::fs::read(out.join("last.safetensors")).unwrap()[..5000]);
    assert!(refusal(&["sample", "--run", text(&cut), "--out", "x.xyz"]).contains("cut.safetensors"));
    assert!(refusal(&["sample", "--run", "nowhere", "--out", "x.xyz"]).contains("nowhere"));
    assert!(refusal(&["nll", "--run", text(&out), "--device", "cuda:x"]).contains("cuda"));
    assert_eq!(symdiff(&["train"]).status.code(), Some(2));
}
