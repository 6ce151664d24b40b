//! A suite that is made in parts, each in a folder of its own as on machines of their own, and read as one.

mod common;

use common::{json, refusal, symdiff, text, write};
use serde_json::Value;
use std::path::Path;

fn suite(folder: &Path) -> std::path::PathBuf {
    for (name, gamma) in [("none", "none"), ("haar", "haar")] {
        let model = format!("preset = 'symdiff-tiny'\ngamma = {{ kind = '{gamma}' }}");
        let rest = "[diffusion]\nsteps = 4\n[train]\nbatch = 4\nsteps = 3\n";
        write(folder, &format!("{name}.toml"), format!("[model]\n{model}\n{rest}"));
    }
    let text = "title = 'Parts'\nruns = ['none', 'haar']\nprotocol = 'edm-qm9'\nsamples = 8\ngroups = 2\nnll_molecules = 8\n\
                [sampling]\nsampler = 'stochastic-ddim'\ncalls = 3\n[[samplings]]\nsamplers = ['ddim']\ncalls = [2]\n";
    write(folder, "parts.toml", text)
}

/// Rows without what a clock says.
fn timeless(result: &Value) -> Vec<Value> {
    let mut rows = result["rows"].as_array().unwrap().clone();
    for row in &mut rows {
        for key in ["seconds", "train_seconds", "sample_seconds"] {
            row[key] = Value::Null;
        }
        row["cells"].as_array_mut().unwrap().iter_mut().for_each(|cell| cell["seconds"] = Value::Null);
    }
    rows
}

#[test]
fn results_of_parts_make_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let suite = suite(folder.path());
    let run = |out: &str, more: &[&str]| {
        let out = folder.path().join(out);
        json(&[&["reproduce", "--profile", text(&suite), "--out", text(&out), "--json"], more].concat())
    };
    let whole = run("whole", &[]);
    for part in ["none", "haar"] {
        let rows = run(part, &["--only", part]);
        assert_eq!(rows["rows"].as_array().unwrap().len(), 1, "{part}");
        let joined = folder.path().join("joined").join(part);
        std::fs::create_dir_all(&joined).unwrap();
        std::fs::copy(folder.path().join(part).join(part).join("result.json"), joined.join("result.json")).unwrap();
    }
    let out = folder.path().join("joined");
    assert!(refusal(&["reproduce", "--profile", text(&suite), "--out", text(&out)]).contains("--resume"));
    let joined = run("joined", &["--resume"]);
    assert_eq!(timeless(&joined), timeless(&whole));
    assert_eq!(whole["rows"][0]["sampler"], "stochastic-ddim");
    assert!(!out.join("none/last.safetensors").exists(), "nothing is trained where there is a result");
    let table = |out: &str| std::fs::read_to_string(folder.path().join(out).join("cells.md")).unwrap();
    assert_eq!(table("joined").lines().count(), table("whole").lines().count());

    // Under other rules a result is no result, and is not replaced unless --only names its run.
    let longer = ["reproduce", "--profile", text(&suite), "--out", text(&out), "--resume", "--set", "train.steps=4"];
    assert!(refusal(&longer).contains("another experiment"));
    assert!(refusal(&[&longer[..], &["--only", "haar"]].concat()).contains("none/result.json"));
    std::fs::remove_file(out.join("none/result.json")).unwrap();
    let other = run("joined", &["--resume", "--only", "haar", "--set", "train.steps=4"]);
    assert_eq!(other["rows"].as_array().unwrap().iter().map(|row| row["steps"].clone()).collect::<Vec<_>>(), [4]);
    // How often a run logs changes nothing.
    assert_eq!(timeless(&run("none", &["--resume", "--only", "none", "--set", "train.log_every=1"])), timeless(&whole)[..1]);
    assert!(refusal(&["reproduce", "--profile", text(&suite), "--only", "nobody"]).contains("it has none, haar"));
    // A damaged result is told.
    let damaged = folder.path().join("damaged/none");
    std::fs::create_dir_all(&damaged).unwrap();
    write(&damaged, "result.json", "{\"seed\": 0, \"of\": ");
    let out = folder.path().join("damaged");
    assert!(refusal(&["reproduce", "--profile", text(&suite), "--resume", "--out", text(&out)]).contains("no result of a run"));
    let output = symdiff(&["reproduce", "--profile", text(&suite), "--resume", "--only", "none", "--out", text(&out)]);
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("made anew"));
}

/// Seeds that one run has and another has not yet are never paired with others.
#[test]
fn parts_of_a_study_are_compared_over_the_seeds_they_share() {
    let folder = tempfile::tempdir().unwrap();
    let one = suite(folder.path());
    let seeds = "reference = 'haar'\nseeds = [0, 1, 2]\nminutes = 0.001\n";
    let study = std::fs::read_to_string(&one).unwrap().replace("protocol", &format!("{seeds}protocol"));
    let study = write(folder.path(), "study.toml", study);
    let out = folder.path().join("out");
    let run = |more: &[&str]| json(&[&["reproduce", "--profile", text(&study), "--out", text(&out), "--json"], more].concat());
    let alone = run(&["--only", "haar"]);
    assert_eq!((&alone["seeds"], alone["tests"].as_array().unwrap().len()), (&serde_json::json!([0, 1, 2]), 0));
    // As if the first seed were on another machine.
    std::fs::remove_dir_all(out.join("haar/seed-0")).unwrap();
    let both = run(&["--only", "none", "--resume"]);
    assert_eq!(both["seeds"], serde_json::json!([1, 2]));
    assert!(both["rows"].as_array().unwrap().iter().all(|row| row["samples"] == 16) && !both["tests"].as_array().unwrap().is_empty());
    // The times of steps were measured for the runs that were made, and results do not depend on them.
    std::fs::remove_file(out.join("budget.json")).unwrap();
    for seed in ["haar/seed-1", "haar/seed-2", "none/seed-0", "none/seed-1", "none/seed-2"] {
        std::fs::remove_file(out.join(seed).join("last.safetensors")).unwrap();
    }
    let joined = run(&["--only", "none", "--resume"]);
    assert_eq!((&joined["seeds"], joined["tests"].as_array().unwrap().len()), (&both["seeds"], both["tests"].as_array().unwrap().len()));
    assert!(!out.join("none/seed-0/last.safetensors").exists() && !out.join("budget.json").exists());
}

/// Steps that follow from measured times are those of the first call, with a result in the folder or not.
#[test]
fn a_finished_run_keeps_its_measured_steps() {
    let folder = tempfile::tempdir().unwrap();
    let one = suite(folder.path());
    let timed = std::fs::read_to_string(&one).unwrap().replace("protocol", "minutes = 0.001\nprotocol");
    let timed = write(folder.path(), "timed.toml", timed);
    let out = folder.path().join("out");
    let command = ["reproduce", "--profile", text(&timed), "--out", text(&out), "--json"];
    let (first, again) = (json(&command), json(&[&command[..], &["--resume"]].concat()));
    assert_eq!(timeless(&first), timeless(&again));
    let recorded = |run: &str| std::fs::read_to_string(out.join(run).join("experiment.toml")).unwrap();
    for (row, run) in first["rows"].as_array().unwrap().iter().zip(["none", "haar"]) {
        assert!(row["steps"].as_u64().unwrap() > 1 && recorded(run).contains(&format!("steps = {}", row["steps"])), "{run}: {row}");
    }
}

/// The same molecules with another property of the same name, its values only exchanged between molecules, are other data.
#[test]
fn a_result_of_other_properties_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let one = suite(folder.path());
    let told = std::fs::read_to_string(&one).unwrap().replace("protocol", "settings = ['data.condition=[\"logp\"]']\nprotocol");
    let told = write(folder.path(), "told.toml", told.replace("nll_molecules = 8", "nll_molecules = 0"));
    let data = |name: &str, shift: usize| {
        let water = |at: usize| {
            format!("3\nProperties=species:S:1:pos:R:3 logp={}\nO 0 0 0.{at}\nH 0.76 0.59 0\nH -0.76 0.59 0\n", (at + shift) % 20)
        };
        write(folder.path(), name, (0..20).map(water).collect::<String>())
    };
    let (first, second) = (data("first.extxyz", 0), data("second.extxyz", 7));
    let out = folder.path().join("out");
    let base = ["reproduce", "--profile", text(&told), "--only", "none", "--out", text(&out), "--data"];
    json(&[&base[..], &[text(&first), "--json"]].concat());
    std::fs::remove_file(out.join("none/last.safetensors")).unwrap();
    let rest = ["reproduce", "--profile", text(&told), "--out", text(&out), "--resume", "--data"];
    assert!(refusal(&[&rest[..], &[text(&second)]].concat()).contains("of other data"));
    let again = json(&[&base[..], &[text(&first), "--resume", "--json"]].concat());
    assert_eq!(again["rows"].as_array().unwrap().len(), 1);
    assert!(!out.join("none/last.safetensors").exists());
}

/// Where the repository is around this crate, its results make the tables of their suites, of those runs that are there; none of them is of another version's rules.
#[test]
fn the_results_in_the_repository_are_those_of_their_suites() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/results");
    if !kept.exists() {
        eprintln!("skipped: no repository around this crate");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (suite, whole, seeds) in [("precision", Some(2), 3), ("steps", Some(8), 1), ("study", None, 3)] {
        let out = folder.path().join(suite);
        let files = copy(&kept.join(suite), &out);
        let runs: Vec<String> = out.read_dir().unwrap().map(|run| run.unwrap().file_name().into_string().unwrap()).collect();
        assert!(whole.is_none_or(|whole| whole == runs.len()), "{suite}: {runs:?}");
        // A run without a result would be trained.
        assert_eq!(files, runs.len() * seeds, "{suite}");
        let told = json(&["reproduce", "--profile", suite, "--only", &runs.join(","), "--out", text(&out), "--resume", "--json"]);
        assert_eq!(told["rows"].as_array().unwrap().len(), runs.len(), "{suite}");
        assert_eq!(told["tests"].as_array().unwrap().is_empty(), seeds == 1, "{suite}");
    }
}

/// Copies a folder with all that is in it; how many files these are.
fn copy(from: &Path, to: &Path) -> usize {
    std::fs::create_dir_all(to).unwrap();
    let entries = std::fs::read_dir(from).unwrap().map(Result::unwrap);
    let copied = entries.map(|entry| {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { copy(&from, &to) } else { std::fs::copy(from, to).map(|_| 1).unwrap() }
    });
    copied.sum()
}
