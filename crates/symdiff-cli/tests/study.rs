//! A study on a tiny budget: runs from several seeds, equal training time, comparison seed by seed.

mod common;

use common::{json, refusal, text, write};
use serde_json::Value;

const RUNS: [(&str, &str); 4] = [("none", "none"), ("frames", "frames"), ("principal", "principal"), ("haar", "haar")];

#[test]
fn runs_from_several_seeds_train_equally_long_and_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    for (name, gamma) in RUNS {
        let experiment = format!(
            "[model]\npreset = 'symdiff-tiny'\ngamma = {{ kind = '{gamma}' }}\n[diffusion]\nsteps = 4\n[train]\nbatch = 4\nsteps = 9\n"
        );
        write(folder.path(), &format!("{name}.toml"), experiment);
    }
    let suite = "title = 'Tiny'\nruns = ['none', 'frames', 'principal', 'haar']\nreference = 'haar'\nseeds = [3, 5]\nminutes = 0.003\n\
                 settings = ['train.cosine=true', 'train.validate_every=2', 'train.validate_samples=8']\n\
                 protocol = 'edm-qm9'\nsamples = 8\ngroups = 2\nnll_molecules = 8\n";
    let suite = write(folder.path(), "tiny.toml", suite);
    let out = folder.path().join("out");
    let command = ["reproduce", "--profile", text(&suite), "--out", text(&out), "--json"];
    let found = json(&command);
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), ["none", "frames", "principal", "haar"]);
    assert!(rows.iter().all(|row| row["samples"] == 16 && row["atom_stability_error"].is_number()), "{rows:?}");
    assert_eq!(found["seeds"], serde_json::json!([3, 5]));
    // Three runs beside the reference, by nll and the six scores of samples.
    let tests = found["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 21, "{tests:?}");
    assert!(tests.iter().all(|test| test["reference"] == "haar" && test["p_holm"].as_f64().unwrap() >= test["p_value"].as_f64().unwrap()));

    let budget = std::fs::read_to_string(out.join("budget.json")).unwrap();
    let paces: Value = serde_json::from_str(&budget).unwrap();
    for (name, _) in RUNS {
        let pace = &paces["runs"][name];
        let planned = pace["seconds_per_step"].as_f64().unwrap() * pace["steps"].as_f64().unwrap();
        // 0.18 s, less at most one step.
        assert!(planned <= 0.18 && planned > 0.18 - 1.01 * pace["seconds_per_step"].as_f64().unwrap(), "{name}: {planned}");
        for seed in [3, 5] {
            assert!(out.join(format!("{name}/seed-{seed}/last.safetensors")).exists());
        }
    }
    let table = std::fs::read_to_string(out.join("table.md")).unwrap();
    assert!(
        table.contains("over 2 training seeds") && table.contains("Compared with haar") && table.contains("not significant"),
        "{table}"
    );
    assert!(out.join("plots/time.svg").exists());

    // Finished runs are not repeated, and steps are those of the first call.
    let again = json(&[&command[..], &["--resume"]].concat());
    assert_eq!((&again["tests"], std::fs::read_to_string(out.join("budget.json")).unwrap()), (&found["tests"], budget));
    assert!(refusal(&command).contains("--resume"));
    assert!(refusal(&[&command[..], &["--resume", "--seed", "7"]].concat()).contains("trains from the seeds [3, 5]"));
}

/// A suite whose steps are named, made in parts: what is missing is said, and a model that is judged anew keeps the machine on which it was trained.
#[test]
fn parts_of_a_study_say_what_is_missing_and_where_they_were_made() {
    let folder = tempfile::tempdir().unwrap();
    for (name, gamma) in RUNS {
        write(folder.path(), &format!("{name}.toml"), format!("[model]\npreset = 'symdiff-tiny'\ngamma = {{ kind = '{gamma}' }}\n"));
    }
    let text_of_suite = "title = 'Parts'\nruns = ['none', 'frames', 'haar']\nreference = 'haar'\nseeds = [3, 5]\nnominal_minutes = 6\n\
                         settings = ['diffusion.steps=4', 'train.batch=4', 'train.steps=8', 'train.validate_every=2', 'train.validate_samples=8']\n\
                         protocol = 'edm-qm9'\nsamples = 8\ngroups = 2\nnll_molecules = 8\n";
    let suite = write(folder.path(), "parts.toml", text_of_suite);
    let out = folder.path().join("out");
    let made = |suite: &std::path::Path, further: &[&str]| {
        json(&[&["reproduce", "--profile", text(suite), "--out", text(&out), "--json"], further].concat())
    };
    let first = made(&suite, &["--only", "none"]);
    assert_eq!(first["tests"].as_array().unwrap().len(), 0);
    assert_eq!(first["untested"], "haar, with which the others are to be compared, has no result yet.");

    let second = made(&suite, &["--only", "haar", "--resume"]);
    assert_eq!(second["untested"], "No result yet: frames.");
    let tests = second["tests"].as_array().unwrap();
    assert!(!tests.is_empty());
    for test in tests {
        let number = |key: &str| test[key].as_f64().unwrap();
        assert!((number("p_holm") - (2.0 * number("p_value")).min(1.0)).abs() < 1e-12, "frames counts before it is made: {test}");
        let (low, high) = (test["interval"][0].as_f64().unwrap(), test["interval"][1].as_f64().unwrap());
        assert!((0.5 * (low + high) - number("difference")).abs() < 1e-9 && low <= high, "{test}");
    }
    let table = std::fs::read_to_string(out.join("table.md")).unwrap();
    assert!(
        table.contains("take 6 minutes on the machine for which they were chosen") && table.contains("No result yet: frames."),
        "{table}"
    );

    // The losses of some milliseconds lie on an axis of six minutes.
    let curves = std::fs::read_to_string(out.join("plots/time.svg")).unwrap();
    assert!(curves.contains("nominal seconds of training") && curves.contains(">300<"), "{curves}");

    let result = out.join("none/seed-3/result.json");
    let read = || serde_json::from_str::<Value>(&std::fs::read_to_string(&result).unwrap()).unwrap();
    let mut edited = read();
    edited["report"]["machine"]["processor"] = "Another processor".into();
    std::fs::write(&result, edited.to_string()).unwrap();
    let twice = write(folder.path(), "twice.toml", text_of_suite.replace("nll_molecules = 8", "nll_molecules = 8\nnll_passes = 2"));
    made(&twice, &["--resume", "--only", "none,haar"]);
    let (before, after) = (&edited["report"], &read()["report"]);
    assert_eq!(after["machine"], before["machine"], "no step was trained here");
    assert_eq!(after["scores"]["validity"], before["scores"]["validity"]);
    assert_ne!(after["scores"]["nll"], before["scores"]["nll"]);
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("none on Another processor"), "each machine is named with its runs");

    // Another budget is not that of six minutes.
    let short = folder.path().join("short");
    let shorter = ["reproduce", "--profile", text(&suite), "--out", text(&short), "--only", "none", "--set", "train.steps=4", "--json"];
    json(&shorter);
    assert!(!std::fs::read_to_string(short.join("table.md")).unwrap().contains("6 minutes"));

    let none = write(folder.path(), "zero.toml", text_of_suite.replace("nll_molecules = 8", "nll_molecules = 8\nnll_passes = 0"));
    assert!(refusal(&["reproduce", "--profile", text(&none)]).contains("at least one draw"));
    let both = write(folder.path(), "both.toml", text_of_suite.replace("nominal_minutes = 6", "nominal_minutes = 6\nminutes = 6"));
    assert!(refusal(&["reproduce", "--profile", text(&both)]).contains("give one of them"));
}
