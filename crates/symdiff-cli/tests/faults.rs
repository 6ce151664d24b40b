//! What once passed in silence, or ended in a panic: each is one sentence and an exit code now.
#![cfg(unix)]

mod common;

use candle_core::{Device, Tensor};
use common::{Tiny, binary, json, refusal, text, write};
use serde_json::json;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use symdiff_mol::{data, formats};
use symdiff_train::checkpoint::{self, Header};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until something is there; a minute is more than it takes.
fn until(there: impl Fn() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing happens");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Writes a checkpoint anew, with its checksums, after a change of its header or of its tensors.
fn changed(file: &Path, header: impl FnOnce(&mut Header), tensor: impl Fn(&str, Tensor) -> Tensor) {
    let mut loaded = checkpoint::load(file, &Device::Cpu).unwrap();
    header(&mut loaded.header);
    let tensors: Vec<(String, Tensor)> = loaded
        .tensors
        .into_iter()
        .flat_map(|(kind, tensors)| tensors.into_iter().map(move |(name, value)| (format!("{kind}.{name}"), value)))
        .map(|(name, value)| (name.clone(), tensor(&name, value)))
        .collect();
    checkpoint::save(file, &loaded.header, &tensors).unwrap();
}

/// Numbers out of their range, lines in disguise, sizes that no memory holds: all are refused before there is a folder, and the sentence is short.
#[test]
fn settings_that_mean_nothing_make_no_run() {
    let tiny = Tiny::untrained();
    let settings = [
        "train.epochs=576460752303423489",
        "train.minutes=nan",
        "train.minutes=-1",
        "train.weight_decay=-1",
        "train.lr=inf",
        "data=[]",
        "train=[1, 2]",
        "model.gamma=['haar']",
        "diffusion.path=[]",
        "diffusion.continuous=[]",
        "diffusion.path={kind='variance_exploding',highest=1e308}",
        "train.steps=1\ntrain.lr=2",
        "diffusion.precision=nan",
        "diffusion.steps=9223372036854775807",
        "model.backbone.gaussians=9223372036854775807",
        "model.backbone.hidden=9223372036854775807",
        "model.backbone.hidden=65536",
        "model.backbone.ratio=4611686018427387904",
        "model.backbone.depth=1000000000000",
        "model.gamma.decoder=9223372036854775807",
        "model.gamma.hidden=9223372036854775806",
        "model.gamma.depth=9223372036854775807",
        "train.batch=9223372036854775807",
    ];
    let graph =
        ["--set", "model.preset='edm-small'", "--set", "model.gamma={kind='none'}", "--set", "model.backbone={kind='egnn',constant=nan}"];
    let every = settings.iter().map(|setting| vec!["--set", setting]).chain([graph.to_vec()]);
    for more in every {
        let sentence = refusal(&[&["train", text(tiny.experiment()), "--out", text(tiny.run())], &more[..]].concat());
        assert!(sentence.len() < 300 && !sentence.contains("000000000000000000000"), "{more:?}: {sentence}");
        assert!(!tiny.run().exists(), "{more:?} made a folder");
    }
}

/// Weights that are finite and far too large: results are no numbers, which is a failed run that names the molecule, not `null` and not bad input.
#[test]
fn results_that_are_no_numbers_are_exit_code_1() {
    // Without γ, which would notice first.
    let tiny = Tiny::untrained();
    json(&["train", text(tiny.experiment()), "--set", "model.gamma={kind='none'}", "--out", text(tiny.run()), "--json"]);
    let large = |name: &str, value: Tensor| if name.starts_with("ema.model.") { (value * 1e36).unwrap() } else { value };
    changed(&tiny.run().join("last.safetensors"), |_| {}, large);
    let out = tiny.folder().join("s.xyz");
    let run = text(tiny.run());
    let sample = binary().args(["sample", "--run", run, "-n", "2", "--steps", "3", "--out", text(&out)]).output().unwrap();
    assert_eq!(sample.status.code(), Some(1), "{}", said(&sample));
    assert!(said(&sample).contains("error: sample 0: a coordinate comes out as no finite number") && !out.exists(), "{}", said(&sample));
    let nll = binary().args(["nll", "--run", run, "--limit", "4", "--json"]).output().unwrap();
    assert_eq!(nll.status.code(), Some(1), "{}", said(&nll));
    assert!(said(&nll).contains("its negative log-likelihood comes out as") && nll.stdout.is_empty(), "{}", said(&nll));
}

#[test]
fn sizes_of_a_checkpoint_that_no_molecule_has_are_refused() {
    let tiny = Tiny::trained();
    let lie = |header: &mut Header| header.record.facts["sizes"] = json!([[1_u64 << 50, 1]]);
    changed(&tiny.run().join("last.safetensors"), lie, |_, value| value);
    assert!(refusal(&["sample", "--run", text(tiny.run()), "-n", "1", "--out", "s.xyz"]).contains("last.safetensors"));
}

/// Four of six pairs once lost rows, and exited with 0.
#[test]
fn a_folder_of_runs_has_one_writer() {
    let tiny = Tiny::untrained();
    let suite = "title = 'Tiny'\nruns = ['tiny']\nprotocol = 'edm-qm9'\nsamples = 4\ngroups = 2\nnll_molecules = 4\n\
        settings = ['train.steps=1000000']\n";
    let suite = write(tiny.folder(), "suite.toml", suite);
    let (run, out) = (tiny.run(), tiny.folder().join("out"));
    let train = ["train", text(tiny.experiment()), "--set", "train.steps=1000000", "--out", text(run)];
    let reproduce = ["reproduce", "--profile", text(&suite), "--out", text(&out)];
    for (command, begun) in [(&train[..], run.join("metrics.jsonl")), (&reproduce, out.join("tiny/metrics.jsonl"))] {
        let mut first = binary().args(command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until(|| begun.exists());
        let sentence = refusal(command);
        first.kill().unwrap();
        first.wait().unwrap();
        assert!(sentence.contains("another process is writing in this folder"), "{sentence}");
    }
}

/// Sets that are too small for a suite once ended in a panic, or in an error after the training.
#[test]
fn too_few_molecules_for_a_suite_make_no_run() {
    let tiny = Tiny::untrained();
    let out = tiny.folder().join("out");
    let water = "3\nwater\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n";
    let molecules = |count: usize| write(tiny.folder(), &format!("{count}.xyz"), water.repeat(count));
    let (one, four, nine) = (molecules(1), molecules(4), molecules(9));
    assert!(refusal(&["reproduce", "--data", text(&one), "--out", text(&out)]).contains("1.xyz: its training part has 0 molecules"));
    let suite = "title = 'Tiny'\nruns = ['tiny']\nprotocol = 'edm-qm9'\nsamples = 4\ngroups = 2\nnll_molecules = 4\n";
    let suite = write(tiny.folder(), "suite.toml", suite);
    let reproduce = |data, batch| refusal(&["reproduce", "--profile", text(&suite), "--data", data, "--out", text(&out), "--set", batch]);
    assert!(reproduce(text(&four), "train.batch=4").contains("its training part has 3 molecules, and a batch of tiny has 4"));
    // A tenth of nine is none.
    assert!(reproduce(text(&nine), "train.batch=4").contains("its test part has no molecule"));
    assert!(!out.exists());
}

/// The half-written checkpoint goes when a signal ends the import, and a file that a kill leaves is taken by the next one.
#[test]
fn an_import_that_is_ended_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (from, out) = (folder.path().join("large.safetensors"), folder.path().join("out.safetensors"));
    let zeros = Tensor::zeros(16 << 20, candle_core::DType::F32, &Device::Cpu).unwrap();
    candle_core::safetensors::save(&std::collections::HashMap::from([("x", zeros)]), &from).unwrap();
    let partial = folder.path().join(".partial.out.safetensors");
    let mut child =
        binary().args(["import", "--from", text(&from), "--model", "dit-qm9", "--out", text(&out)]).stderr(Stdio::null()).spawn().unwrap();
    until(|| partial.exists());
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(143), "the import was over before the signal; nothing was tested");
    assert!(!partial.exists() && !out.exists());

    write(folder.path(), ".partial.out.safetensors", "left by a kill");
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("../symdiff-models/tests/golden/symdiff-tiny.npy");
    json(&["import", "--from", text(&tiny), "--model", "symdiff-tiny", "--out", text(&out), "--json"]);
    assert!(!partial.exists() && json(&["data", "inspect", "--json"])["molecules"].is_u64());
    json(&["sample", "--run", text(&out), "-n", "1", "--steps", "2", "--out", text(&folder.path().join("s.xyz")), "--json"]);
}

/// A limit on the address space that the threads' stacks alone would break.
#[test]
fn too_little_memory_is_one_sentence_and_code_1() {
    let tiny = Tiny::untrained();
    let script = "ulimit -v 400000; exec \"$@\"";
    let arguments = ["train", text(tiny.experiment()), "--out", text(tiny.run()), "--threads", "100"];
    let output = Command::new("bash").args(["-c", script, "bash", env!("CARGO_BIN_EXE_symdiff")]).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).lines().count() == 1 && said(&output).contains("MiB of memory are left"), "{}", said(&output));
    assert!(!tiny.run().exists());
}

/// An archive of 1.2 kB whose two sizes of an array both claim 2.7 GB, which no allocation may believe.
#[test]
fn an_archive_that_lies_about_its_sizes_takes_no_memory() {
    let lying = Path::new(env!("CARGO_MANIFEST_DIR")).join("../symdiff-mol/tests/cases/npz-lying-sizes.npz");
    let script = "ulimit -v 1500000; exec \"$@\"";
    let arguments = ["evaluate", "--molecules", text(&lying), "--threads", "1"];
    let output = Command::new("bash").args(["-c", script, "bash", env!("CARGO_BIN_EXE_symdiff")]).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).lines().count() == 1 && said(&output).contains("npz-lying-sizes.npz"), "{}", said(&output));
}

/// Seeds that share their last 32 bits are different seeds.
#[test]
fn a_seed_of_an_evaluation_counts_to_its_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let set = data::embedded();
    let [sample, reference] = ["sample.xyz", "reference.xyz"].map(|name| folder.path().join(name));
    formats::write_all(&sample, (0..40).map(|place| set.molecule(place * 7))).unwrap();
    formats::write_all(&reference, (0..40).map(|place| set.molecule(place * 11 + 5))).unwrap();
    let intervals = |seed: &str| {
        let told = json(&[
            "evaluate",
            "--molecules",
            text(&sample),
            "--reference",
            text(&reference),
            "--replicates",
            "40",
            "--seed",
            seed,
            "--json",
        ]);
        told["distributions"].to_string()
    };
    assert_eq!(intervals("1"), intervals("1"));
    assert_ne!(intervals("1"), intervals("4294967297"));
}
