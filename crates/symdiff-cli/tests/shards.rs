//! `--shard` and `gather`: the shares of a result, drawn apart and joined, are the result of one process.

mod common;

use common::{Tiny, binary, json, refusal, text};
use std::path::{Path, PathBuf};

/// Draws the shares of nine molecules.
fn draw(tiny: &Tiny, count: usize, more: &[&str]) -> Vec<PathBuf> {
    let one = |index: usize| {
        let path = tiny.folder().join(format!("{index}-of-{count}{}.shard", more.concat()));
        let shard = format!("{index}/{count}");
        let command = ["sample", "--run", text(tiny.run()), "-n", "9", "--steps", "5", "--batch", "2", "--json"];
        json(&[&command[..], &["--shard", &shard, "--out", text(&path)], more].concat());
        path
    };
    (0..count).map(one).collect()
}

fn gather(shards: &[PathBuf], out: &Path) -> Vec<String> {
    let words = ["gather"].into_iter().chain(shards.iter().map(|path| text(path))).chain(["--out", text(out)]);
    words.map(str::to_owned).collect()
}

fn words(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

#[test]
fn molecules_of_shards_are_those_of_one_process() {
    let tiny = Tiny::trained();
    let mut shards = draw(&tiny, 4, &[]);
    // The order of names means nothing.
    shards.reverse();
    for ending in ["xyz", "sdf", "npz", "jsonl"] {
        let [whole, joined] = ["whole", "joined"].map(|name| tiny.folder().join(name).with_extension(ending));
        json(&["sample", "--run", text(tiny.run()), "-n", "9", "--steps", "5", "--batch", "2", "--out", text(&whole), "--json"]);
        let told = json(&[&words(&gather(&shards, &joined))[..], &["--json"]].concat());
        assert_eq!(told["molecules"], 9);
        assert!(std::fs::read(&whole).unwrap() == std::fs::read(&joined).unwrap(), "{ending}");
    }
}

#[test]
fn shares_that_do_not_make_one_result_are_refused() {
    let tiny = Tiny::trained();
    let shards = draw(&tiny, 3, &[]);
    let out = tiny.folder().join("joined.xyz");
    let told = |shards: &[PathBuf]| refusal(&words(&gather(shards, &out)));
    assert!(told(&shards[..2]).contains("share 2/3 is missing"));
    let twice = [&shards[..], &shards[..1]].concat();
    assert!(told(&twice).contains("share 0/3 is there twice"));
    let other = draw(&tiny, 3, &["--seed", "7"]);
    let mixed = told(&[shards[0].clone(), other[1].clone(), shards[2].clone()]);
    assert!(mixed.contains("differ in seed: 0 and 7"), "{mixed}");
    // A share whose head was changed to agree with the others.
    let head = std::fs::read_to_string(&other[1]).unwrap().replacen("\"seed\":7", "\"seed\":0", 1);
    std::fs::write(&other[1], head).unwrap();
    assert!(told(&[shards[0].clone(), other[1].clone(), shards[2].clone()]).contains("its checksum differs"));
    let other = draw(&tiny, 3, &["--seed", "7", "--force"]);
    let mut bytes = std::fs::read(&shards[1]).unwrap();
    let last = bytes.len() - 5;
    bytes[last] ^= 1;
    std::fs::write(&shards[1], bytes).unwrap();
    assert!(told(&shards).contains("its checksum differs"));
    assert!(refusal(&["gather", text(tiny.experiment()), "--out", text(&out)]).contains("is no shard"));
    assert!(refusal(&["gather", text(&other[0]), text(&other[1]), text(&other[2])]).contains("add --out"));
    assert!(!out.exists());
    for shard in ["4/4", "1", "-1/2", "a/b", "18446744073709551614/18446744073709551615"] {
        let command = ["sample", "--run", text(tiny.run()), "--out", text(&out), &format!("--shard={shard}")];
        let output = common::symdiff(&command);
        assert!(output.status.code() == Some(2) && String::from_utf8_lossy(&output.stderr).contains("such as 0/4"), "{shard}");
    }
}

#[test]
fn likelihoods_of_shards_are_those_of_one_process() {
    let tiny = Tiny::trained();
    let command = ["nll", "--run", text(tiny.run()), "--limit", "13", "--batch", "4", "--passes", "2", "--json"];
    let whole = json(&command);
    let shards = ["0/2", "1/2"].map(|shard| {
        let path = tiny.folder().join(shard.replace('/', "-of-"));
        json(&[&command[..], &["--shard", shard, "--out", text(&path)]].concat());
        path
    });
    assert_eq!(json(&["gather", text(&shards[1]), text(&shards[0]), "--json"]), whole);
}

/// The numbers of `xtb` are those of one process; the log names the molecule on which it fails.
#[cfg(unix)]
#[test]
fn energies_of_shards_are_those_of_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (common::on_path(folder.path(), "xtb", common::XTB), common::waters(folder.path(), 6));
    let run = |arguments: &[&str]| binary().env("PATH", &path).args(arguments).output().unwrap();
    let command = ["evaluate", text(&file), "--xtb", "--seed", "3", "--json"];
    let whole = run(&command);
    let shards = ["0/3", "1/3", "2/3"].map(|shard| {
        let out = folder.path().join(shard.replace('/', "-of-"));
        assert!(run(&[&command[..], &["--shard", shard, "--out", text(&out)]].concat()).status.success());
        out
    });
    let gather = ["gather", text(&shards[2]), text(&shards[0]), text(&shards[1]), "--json"];
    let joined = binary().args(gather).output().unwrap();
    assert!(joined.stdout == whole.stdout, "{}", String::from_utf8_lossy(&joined.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&whole.stdout).unwrap();
    assert_eq!((&summary["energy"]["molecules"], &summary["energy"]["failed"]), (&6.into(), &1.into()));
    assert!(String::from_utf8_lossy(&joined.stderr).contains("alone: xtb did not converge"), "{}", String::from_utf8_lossy(&joined.stderr));

    std::fs::write(&file, "1\nother\nO 0 0 0\n").unwrap();
    assert!(refusal(&gather).contains("has changed since its shards were made"));
    let without = run(&["evaluate", text(&file), "--shard", "0/3", "--out", text(&shards[0])]);
    assert!(without.status.code() == Some(2) && String::from_utf8_lossy(&without.stderr).contains("--xtb"));
}

/// Without the feature a process that MPI started among others would do all of the work, and write over theirs.
#[test]
fn processes_that_cannot_join_are_refused() {
    let tiny = Tiny::trained();
    let refused = |arguments: &[&str], word: &str| {
        let output = binary().args(arguments).env("PMI_RANK", "0").env("PMI_SIZE", "2").output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && told.contains(word) && told.lines().count() == 1, "{told}");
    };
    refused(&["data", "inspect", text(tiny.experiment())], "runs in one process, and 2 were started");
    if !cfg!(feature = "mpi") {
        refused(&["nll", "--run", text(tiny.run())], "built without MPI; build it with `--features mpi`");
    }
}
