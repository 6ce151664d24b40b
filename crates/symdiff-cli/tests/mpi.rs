//! Several processes under `mpirun`. Where the program is built without the feature `mpi`, or there is no `mpirun`, these tests count as ignored.

mod common;

use common::{Tiny, json, text};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

/// Set where this program is a process of a job that [`a_failure_of_one_process_ends_all`] has started.
const PANICS: &str = "SYMDIFF_TEST_PANICS";

fn main() -> ExitCode {
    if std::env::var_os(PANICS).is_some() {
        last_one_panics();
    }
    let there = cfg!(feature = "mpi") && Command::new("mpirun").arg("--version").output().is_ok_and(|output| output.status.success());
    let tests: [(&str, fn()); 7] = [
        ("training_writes_the_same_bits_on_any_number_of_processes", training_writes_the_same_bits_on_any_number_of_processes),
        (
            "a_killed_process_ends_all_and_the_run_goes_on_with_another_number",
            a_killed_process_ends_all_and_the_run_goes_on_with_another_number,
        ),
        ("a_signal_ends_all_after_the_same_step_and_saves", a_signal_ends_all_after_the_same_step_and_saves),
        ("samples_and_likelihoods_are_those_of_one_process", samples_and_likelihoods_are_those_of_one_process),
        ("energies_are_those_of_one_process", energies_are_those_of_one_process),
        ("a_failure_is_one_sentence", a_failure_is_one_sentence),
        ("a_failure_of_one_process_ends_all", a_failure_of_one_process_ends_all),
    ];
    let trial = |(name, body)| symdiff_golden::always(name, body).with_kind("needs the feature mpi and mpirun").with_ignored_flag(!there);
    symdiff_golden::run(tests.into_iter().map(trial).collect())
}

/// The launcher.
fn launcher() -> Command {
    let mut command = Command::new("mpirun");
    command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1").env("OMPI_MCA_rmaps_base_oversubscribe", "1");
    command.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A command on so many processes of one thread.
fn mpirun(processes: usize, arguments: &[&str]) -> Command {
    let mut command = launcher();
    command.args(["-n", &processes.to_string(), env!("CARGO_BIN_EXE_symdiff")]).args(arguments).args(["--threads", "1"]);
    command
}

fn run(processes: usize, arguments: &[&str]) -> Output {
    mpirun(processes, arguments).output().expect("mpirun starts")
}

fn succeed(processes: usize, arguments: &[&str]) -> serde_json::Value {
    let output = run(processes, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout.lines().count(), 1, "one process prints: {stdout}");
    serde_json::from_str(&stdout).unwrap()
}

/// `train` in four shares, for so many steps, saving after each.
fn train(tiny: &Tiny, steps: u64, out: &Path, more: &[&str]) -> Vec<String> {
    let budget = format!("train.steps={steps}");
    let settings = ["--set", "train.shares=4", "--set", "train.checkpoint_minutes=0", "--set", &budget, "--json"];
    let command = ["train", text(tiny.experiment()), "--out", text(out)];
    [&command[..], &settings, more].concat().into_iter().map(str::to_owned).collect()
}

fn words(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

/// The bytes of each tensor of a checkpoint.
type Tensors = BTreeMap<String, Vec<u8>>;

/// Tensors of the checkpoint, and steps and losses of the metrics, in bits.
fn written(run: &Path) -> (Tensors, Vec<(u64, u64)>) {
    let bytes = std::fs::read(run.join("last.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let losses = symdiff_train::metrics::rows(run).unwrap().iter().map(|row| (row.step, row.loss.to_bits())).collect();
    (file.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect(), losses)
}

fn training_writes_the_same_bits_on_any_number_of_processes() {
    let tiny = Tiny::untrained();
    let on = |processes: usize, overlap: &str| -> PathBuf {
        let out = tiny.folder().join(format!("{processes}-{overlap}"));
        let output = run(processes, &words(&train(&tiny, 20, &out, &["--set", &format!("train.overlap={overlap}")])));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains("train.overlap has no effect"), "{said}");
        out
    };
    let alone = written(&on(1, "false"));
    assert_eq!(alone.1.len(), 20);
    // The sums of four processes, which have a share each, can be made beside the backward pass.
    for (processes, overlap) in [(2, "false"), (4, "false"), (4, "true")] {
        assert!(written(&on(processes, overlap)) == alone, "{processes} processes, overlap {overlap}");
    }
}

/// The processes that an `mpirun` has started.
fn ranks(mpirun: &Child) -> Vec<String> {
    let output = Command::new("ps").args(["--ppid", &mpirun.id().to_string(), "-o", "pid="]).output().expect("ps starts");
    String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_owned).collect()
}

/// Waits until a run has so many rows of metrics; a minute is more than it takes.
fn until_step(run: &Path, steps: usize) {
    let start = Instant::now();
    while std::fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default().lines().count() < steps {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing happens");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn ended_within(seconds: u64, mut child: Child) -> Output {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(seconds) {
            // The launcher ends its processes.
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            panic!("the others did not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// Three kills, or as many as `SYMDIFF_KILLS` says. Where each process has a share, sums are made beside the backward pass before the kill.
fn a_killed_process_ends_all_and_the_run_goes_on_with_another_number() {
    let kills = std::env::var("SYMDIFF_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let tiny = Tiny::untrained();
    let whole = tiny.folder().join("whole");
    succeed(1, &words(&train(&tiny, 120, &whole, &[])));
    let whole = written(&whole);
    for trial in 0..kills {
        let out = tiny.folder().join(format!("broken-{trial}"));
        let (before, after) = [(4, 2), (2, 4), (4, 1), (2, 1)][trial % 4];
        let child = mpirun(before, &words(&train(&tiny, 1_000_000, &out, &["--set", "train.overlap=true"]))).spawn().unwrap();
        until_step(&out, 3 + 37 * trial % 100);
        let victim = ranks(&child)[trial % before].clone();
        assert!(Command::new("kill").args(["-9", &victim]).status().unwrap().success());
        let output = ended_within(10, child);
        assert!(!output.status.success(), "a job that lost a process ends well");
        succeed(after, &words(&train(&tiny, 120, &out, &["--resume"])));
        assert!(written(&out) == whole, "kill {trial} of rank {} of {before}, resumed on {after}", trial % before);
    }
}

/// The launcher passes a signal to one process at a time; all of them stop after one step, and rank 0 saves.
fn a_signal_ends_all_after_the_same_step_and_saves() {
    let tiny = Tiny::untrained();
    let (whole, broken) = (tiny.folder().join("whole"), tiny.folder().join("broken"));
    succeed(2, &words(&train(&tiny, 120, &whole, &[])));
    // A checkpoint at the end alone: what is resumed is what the signal made the run save.
    let command = train(&tiny, 1_000_000, &broken, &["--set", "train.checkpoint_minutes=60"]);
    let child = mpirun(2, &words(&command)).spawn().unwrap();
    until_step(&broken, 20);
    assert!(Command::new("kill").args(["-TERM", &ranks(&child)[1]]).status().unwrap().success());
    ended_within(30, child);
    let header = symdiff_train::checkpoint::header(&broken.join("last.safetensors")).unwrap();
    assert!((20..120).contains(&header.step), "saved at step {}", header.step);
    succeed(1, &words(&train(&tiny, 120, &broken, &["--resume"])));
    assert!(written(&broken) == written(&whole));
}

fn samples_and_likelihoods_are_those_of_one_process() {
    let tiny = Tiny::trained();
    let file = |name: &str| tiny.folder().join(name);
    let sample = |out: &Path| -> Vec<String> {
        let command = ["sample", "--run", text(tiny.run()), "-n", "9", "--steps", "5", "--batch", "2", "--out", text(out), "--json"];
        command.map(str::to_owned).to_vec()
    };
    json(&[&words(&sample(&file("one.sdf")))[..], &["--threads", "1"]].concat());
    assert_eq!(succeed(3, &words(&sample(&file("three.sdf"))))["molecules"], 9);
    assert!(std::fs::read(file("one.sdf")).unwrap() == std::fs::read(file("three.sdf")).unwrap());
    let nll = ["nll", "--run", text(tiny.run()), "--limit", "13", "--batch", "4", "--json"];
    assert_eq!(succeed(2, &nll), json(&[&nll[..], &["--threads", "1"]].concat()));
}

/// Each process runs `xtb` on a share of the molecules.
fn energies_are_those_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (common::on_path(folder.path(), "xtb", common::XTB), common::waters(folder.path(), 6));
    let rows = |processes: usize| folder.path().join(format!("{processes}.jsonl"));
    let on = |processes: usize| {
        let rows = rows(processes);
        let command = ["evaluate", text(&file), "--xtb", "--rows", text(&rows), "--json"];
        let output = mpirun(processes, &command).env("PATH", &path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (output.stdout, std::fs::read(&rows).unwrap())
    };
    let alone = on(1);
    assert!(on(3) == alone && String::from_utf8_lossy(&alone.0).contains("\"failed\":1"));
}

/// Each process meets the same error; one of them says it.
fn a_failure_is_one_sentence() {
    let tiny = Tiny::untrained();
    let out = tiny.folder().join("run");
    let three = run(3, &words(&train(&tiny, 5, &out, &[])));
    let absent = run(2, &["nll", "--run", text(&out)]);
    for (output, word) in [(three, "which 3 processes cannot divide equally"), (absent, "rank 0: ")] {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let errors: Vec<&str> = told.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(output.status.code() == Some(2) && errors.len() == 1 && errors[0].contains(word), "{told}");
    }
}

/// Process after process waits for the last one, which panics.
fn last_one_panics() -> ! {
    let launched = symdiff_ranks::Launched::find().unwrap().expect("a launcher");
    let processes = symdiff_ranks::Processes::join(Some(&launched), &candle_core::Device::Cpu).unwrap();
    loop {
        symdiff_train::Ranks::any(&processes, false).unwrap();
        assert!(launched.rank + 1 < launched.size, "a bad end");
    }
}

/// The others wait for it in an exchange, and are ended: after a panic, and after an error that it alone meets.
fn a_failure_of_one_process_ends_all() {
    let mut command = launcher();
    let child = command.env(PANICS, "1").arg("-n").arg("3").arg(std::env::current_exe().unwrap()).spawn().unwrap();
    let output = ended_within(20, child);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("a bad end"), "{told}");

    let tiny = Tiny::untrained();
    let out = tiny.folder().join("run");
    let [good, bad] =
        [&[][..], &["--set", "data.path=absent.npz"]].map(|more| train(&tiny, 5, &out, &[&["--threads", "1"], more].concat()));
    let mut command = launcher();
    let symdiff = env!("CARGO_BIN_EXE_symdiff");
    command.args(["-n", "1", symdiff]).args(&good).args([":", "-n", "1", symdiff]).args(&bad);
    let output = ended_within(20, command.spawn().unwrap());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("absent.npz"), "{told}");
}
