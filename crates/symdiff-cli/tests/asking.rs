//! Molecules on demand, through the real binary: properties, sizes, formulas, and atoms that are kept.

mod common;

use common::{Tiny, json, refusal, symdiff, text, write};
use std::path::{Path, PathBuf};
use symdiff_mol::{Molecule, formats};

const ETHYL: &str = "5\nethyl\nC 10.0 -3.0 2.5\nC 11.5 -3.0 2.5\nH 9.6 -2.0 2.5\nH 9.6 -3.5 1.6\nH 9.6 -3.5 3.4\n";

/// A run of two steps that was told gap and mu.
fn told(tiny: &Tiny) -> PathBuf {
    let run = tiny.folder().join("told");
    let settings = ["--set", "data.condition=[\"gap\",\"mu\"]", "--out", text(&run), "--json"];
    json(&[&["train", text(tiny.experiment())], &settings[..]].concat());
    run
}

fn sample(run: &Path, out: &Path, more: &[&str]) -> Vec<Molecule> {
    json(&[&["sample", "--run", text(run), "--steps", "3", "--out", text(out), "--json"], more].concat());
    formats::open(out).unwrap().map(Result::unwrap).collect()
}

/// Steps of training and sampling are too few to reach anything: what is asked must reach the file, in each format that has a place for it.
#[test]
fn asked_values_stay_with_the_molecules() {
    let tiny = Tiny::untrained();
    let run = told(&tiny);
    for name in ["asked.sdf", "asked.xyz", "asked.extxyz"] {
        let out = tiny.folder().join(name);
        let asks = ["-n", "4", "--given", "gap=4..8", "--given", "mu=data", "--guidance", "1.5", "--guidance-times", "0.1..0.9"];
        let drawn = sample(&run, &out, &asks);
        assert_eq!(drawn.len(), 4);
        for (place, molecule) in drawn.iter().enumerate() {
            let gap = molecule.properties()["given_gap"];
            assert!((4.0 + place as f64..=5.0 + place as f64).contains(&gap), "{name}: {gap}");
            assert!((0.0..=8.1).contains(&molecule.properties()["given_mu"]), "{name}");
        }
    }
    let plain = sample(&run, &tiny.folder().join("free.sdf"), &["-n", "2"]);
    assert!(plain.iter().all(|molecule| molecule.properties().is_empty()));
}

/// Weights that record what was asked of the molecules of their scores draw as asked where nothing is, and are verified so.
#[test]
fn weights_ask_what_their_scores_were_asked() {
    let tiny = Tiny::untrained();
    let (run, file) = (told(&tiny), tiny.folder().join("told.safetensors"));
    let export = ["export", "--run", text(&run), "--out", text(&file), "--samples", "20", "--steps", "2", "--nll-molecules", "0", "--json"];
    let asked = ["--given", "gap=data", "--given", "mu=data"];
    assert_eq!(json(&[&export[..], &asked].concat())["scores"]["given"], serde_json::json!(["gap=data", "mu=data"]));
    json(&["verify", text(&file), "--scores", "--json"]);
    let drawn = |name: &str, more: &[&str]| {
        let out = tiny.folder().join(name);
        json(&[&["sample", "--run", text(&file), "-n", "3", "--out", text(&out), "--json"], more].concat());
        std::fs::read_to_string(out).unwrap()
    };
    assert_eq!(drawn("usual.sdf", &[]), drawn("asked.sdf", &asked));
    assert!(drawn("usual.xyz", &["--sampler", "ddim", "--steps", "2"]).contains("given_gap"));
    for more in [&["--atoms", "12"][..], &["--given-nothing"]] {
        assert!(!drawn("sized.xyz", more).contains("given_gap"), "{more:?}");
    }
    assert!(refusal(&[&export[..], &["--force", "--given", "colour=2"]].concat()).contains("colour"));
}

#[test]
fn a_value_outside_the_data_is_said_so() {
    let tiny = Tiny::untrained();
    let (run, out) = (told(&tiny), tiny.folder().join("far.sdf"));
    let far = ["sample", "--run", text(&run), "--steps", "2", "-n", "1", "--given", "gap=99", "--out", text(&out), "--json"];
    let output = symdiff(&far);
    assert!(output.status.success());
    let (stderr, stdout) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(stderr.contains("gap = 99 lies outside the training data"), "{stderr}");
    assert!(stdout.lines().last().unwrap().contains("outside"), "{stdout}");
}

#[test]
fn sizes_and_formulas_are_met() {
    let tiny = Tiny::trained();
    let out = tiny.folder().join("sized.xyz");
    let sizes = |more: &[&str]| -> Vec<usize> { sample(tiny.run(), &out, more).iter().map(Molecule::len).collect() };
    assert_eq!(sizes(&["-n", "3", "--atoms", "18"]), [18; 3]);
    assert!(sizes(&["-n", "20", "--atoms", "12..14"]).iter().all(|atoms| (12..=14).contains(atoms)));
    for molecule in sample(tiny.run(), &out, &["-n", "3", "--formula", "C2H6O", "--turns", "2"]) {
        let mut numbers = molecule.atomic_numbers().to_vec();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 1, 1, 1, 1, 1, 6, 6, 8]);
    }
}

/// Kept atoms come out where they went in, far from the origin too; two fragments keep their places relative to each other. So it is with a model that is given them, in one turn.
#[test]
fn kept_atoms_stay_where_they_are() {
    let tiny = Tiny::trained();
    let (folder, out) = (tiny.folder(), tiny.folder().join("grown.xyz"));
    let completing = folder.join("completing");
    json(&["train", text(tiny.experiment()), "--set", "data.fixed=0.8", "--out", text(&completing), "--json"]);
    let ethyl = write(folder, "ethyl.xyz", ETHYL);
    let other = write(folder, "oxygen.xyz", "2\nhydroxyl\nO 15.0 -3.0 2.5\nH 15.9 -3.0 2.5\n");
    let [first, second] = [&ethyl, &other].map(|path| formats::open(path).unwrap().next().unwrap().unwrap());
    let stays = |drawn: &Molecule, kept: &[Molecule]| {
        let numbers: Vec<u8> = kept.iter().flat_map(Molecule::atomic_numbers).copied().collect();
        assert_eq!(&drawn.atomic_numbers()[..numbers.len()], &numbers[..]);
        let positions = kept.iter().flat_map(Molecule::positions);
        for (found, wanted) in drawn.positions().iter().zip(positions) {
            assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?} is not {wanted:?}");
        }
    };
    for run in [tiny.run(), &completing] {
        for molecule in sample(run, &out, &["-n", "5", "--keep", text(&ethyl), "--grow", "6..8"]) {
            assert!((11..=13).contains(&molecule.len()));
            stays(&molecule, std::slice::from_ref(&first));
        }
        let kept = &json(&["evaluate", text(&out), "--kept", text(&ethyl), "--json"])["kept"];
        assert_eq!((kept["molecules"].as_f64(), kept["complete"].as_f64()), (Some(5.0), Some(1.0)), "{kept}");
        assert!(kept["largest"].as_f64().is_some_and(|largest| largest < 1e-4) && kept["valid"].is_f64(), "{kept}");
    }
    // Another part, and the same one elsewhere, are told.
    let moved = write(folder, "moved.xyz", ETHYL.replace("10.0", "10.3"));
    let compared = |part: &Path| json(&["evaluate", text(&out), "--kept", text(part), "--json"])["kept"].clone();
    let (shifted, stranger) = (compared(&moved), compared(&other));
    assert!(
        (shifted["largest"].as_f64().unwrap() - 0.3).abs() < 1e-3 && (shifted["rmsd"].as_f64().unwrap() - 0.3 / 5f64.sqrt()).abs() < 1e-3
    );
    assert!(stranger["complete"] == 0.0 && stranger["rmsd"].is_null(), "{stranger}");
    for molecule in sample(tiny.run(), &out, &["-n", "3", "--between", text(&ethyl), text(&other), "--turns", "1"]) {
        stays(&molecule, &[first.clone(), second.clone()]);
    }
    for molecule in sample(tiny.run(), &out, &["-n", "3", "--from", text(&ethyl), "--noise", "0.4"]) {
        assert_eq!(molecule.len(), 5);
    }
}

#[test]
fn what_cannot_be_asked_is_refused_in_a_sentence() {
    let tiny = Tiny::trained();
    let told = told(&tiny);
    let (folder, out) = (tiny.folder(), tiny.folder().join("never.sdf"));
    let ask = |run: &Path, more: &[&str]| refusal(&[&["sample", "--run", text(run), "-n", "1", "--out", text(&out)], more].concat());
    assert!(ask(&told, &["--given", "homo=1"]).contains("trained on gap, mu"));
    assert!(ask(&told, &["--given", "gap=1", "--given", "gap=2"]).contains("twice"));
    assert!(ask(tiny.run(), &["--given", "gap=1"]).contains("data.condition"));
    assert!(ask(&told, &["--atoms", "400"]).contains("no training molecule has 400 atoms"));
    assert!(ask(&told, &["--formula", "C60"]).contains("60 atoms"));
    assert!(ask(&told, &["--formula", "C2H6Si"]).contains("Si"));
    assert!(ask(&told, &["--given", "gap=1", "--guidance", "nan"]).contains("--guidance:"));
    assert!(ask(&told, &["--given", "gap=1", "--guidance", "1", "--guidance-times", "0.8..0.2"]).contains("--guidance-times:"));
    assert!(ask(&told, &["--grow", "3"]).contains("--keep"));
    let silane = write(folder, "silane.xyz", "2\nsilane\nSi 0 0 0\nH 1.5 0 0\n");
    assert!(ask(&told, &["--keep", text(&silane), "--grow", "3"]).contains("Si"));
    let broken = write(folder, "broken.xyz", "2\nbroken\nC 0 0 0\nH nan 0 0\n");
    assert!(ask(&told, &["--keep", text(&broken)]).contains("broken.xyz"));
    let two = write(folder, "two.xyz", ETHYL.repeat(2));
    assert!(ask(&told, &["--keep", text(&two)]).contains("several molecules"));
    let ethyl = write(folder, "ethyl.xyz", ETHYL);
    assert!(ask(&told, &["--keep", text(&ethyl), "--grow", "90..99"]).contains("95 to 104 atoms are asked for"));
    assert!(ask(&told, &["--from", text(&ethyl), "--noise", "1.5"]).contains("--noise 1.5"));
    assert!(ask(&told, &["--from", text(&ethyl), "--noise", "1e-9"]).contains("less than one of the process's"));
    for value in ["gap", "gap=nan", "gap=9..4", "gap=inf"] {
        let output = symdiff(&["sample", "--run", text(&told), "--given", value, "--out", text(&out)]);
        assert_eq!(output.status.code(), Some(2), "{value}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(value), "{value}");
    }
    let output = symdiff(&["sample", "--run", text(&told), "--given", "gap=1", "--guidance-times", "0.2..0.8", "--out", text(&out)]);
    assert!(output.status.code() == Some(2) && String::from_utf8_lossy(&output.stderr).contains("--guidance <W>"));
    assert!(!out.exists());
}

#[test]
fn sets_without_a_property_are_refused_before_the_run() {
    let tiny = Tiny::untrained();
    let run = tiny.folder().join("none");
    let train = |set: &str| refusal(&["train", text(tiny.experiment()), "--out", text(&run), "--set", set]);
    assert!(train("data.condition=[\"boiling_point\"]").contains("boiling_point"));
    assert!(train("data.condition=[\"gap\",\"gap\"]").contains("twice"));
    assert!(train("data.condition=[\"a b\"]").contains("no name of a property"));
    assert!(train("data.condition_dropout=1.5").contains("data.condition_dropout"));
    let plain = write(tiny.folder(), "plain.xyz", ETHYL.repeat(40));
    let path = format!("data.path={}", text(&plain));
    let both = ["train", text(tiny.experiment()), "--out", text(&run), "--set", &path, "--set", "data.condition=[\"gap\"]"];
    assert!(refusal(&both).contains("none"));
    let frame = |gap: &str| format!("1\nProperties=species:S:1:pos:R:3 gap={gap}\nC 0 0 0\n");
    let broken = write(tiny.folder(), "broken.extxyz", (0..40).map(|i| frame(if i == 7 { "nan" } else { "1.5" })).collect::<String>());
    let path = format!("data.path={}", text(&broken));
    let both = ["train", text(tiny.experiment()), "--out", text(&run), "--set", &path, "--set", "data.condition=[\"gap\"]"];
    // The reader says which value it leaves out; without it the property is not complete.
    let output = symdiff(&both);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("line 24") && stderr.lines().last().unwrap().starts_with("error: `gap`"), "{stderr}");
    assert!(!run.exists());
}

/// A run with conditions is continued by the experiment that began it, and by no other.
#[test]
fn a_told_run_resumes_and_refuses_other_conditions() {
    let tiny = Tiny::untrained();
    let run = told(&tiny);
    let again = |condition: &str| {
        let condition = format!("data.condition={condition}");
        let longer = ["--set", "train.steps=3", "--set", &condition, "--out", text(&run), "--resume", "--json"];
        symdiff(&[&["train", text(tiny.experiment())], &longer[..]].concat())
    };
    assert_eq!(again("[\"gap\"]").status.code(), Some(2));
    assert!(again("[\"gap\",\"mu\"]").status.success());
}

/// With a script that answers like `xtb`: asked values are compared with what it says of valid molecules.
#[test]
fn what_was_asked_is_compared_with_what_was_got() {
    let folder = tempfile::tempdir().unwrap();
    let comment = "Properties=species:S:1:pos:R:3 given_gap";
    let water = |gap: f64, stretch: f64| format!("3\n{comment}={gap}\nO 0 0 0\nH {} 0.59 0\nH -0.76 0.59 0\n", 0.76 + stretch);
    // The third is not valid: its carbon has five hydrogens.
    let methane = format!("6\n{comment}=1\nC 0 0 0\nH 1.09 0 0\nH -1.09 0 0\nH 0 1.09 0\nH 0 -1.09 0\nH 0 0 1.09\n");
    let frames = [water(5.0, 0.0), water(7.0, 0.01), methane].concat();
    let source = write(folder.path(), "asked.extxyz", frames);
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\ncase \"$*\" in *--opt*) exit 9;; esac\n\
        grep -q '0.77' molecule.xyz && gap=9.5 || gap=5.5\n\
        echo \"| TOTAL ENERGY -5.0 Eh |\"\necho \"| HOMO-LUMO GAP $gap eV |\"\n";
    let path = common::on_path(folder.path(), "xtb", script);
    let evaluate = |source: &Path, more: &[&str]| {
        let mut command = common::binary();
        command.env("PATH", &path).args(["evaluate", "--molecules", text(source), "--json"]).args(more);
        command.output().unwrap()
    };
    let (rows, page) = (folder.path().join("rows.jsonl"), folder.path().join("page.html"));
    let asked = ["--xtb", "--xtb-single-point", "--target", "given", "--rows", text(&rows), "--gallery", text(&page)];
    let output = evaluate(&source, &asked);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let gap = &summary["target"]["gap"];
    assert_eq!(gap["molecules"], 2, "{summary}");
    assert!((gap["mae"].as_f64().unwrap() - 1.5).abs() < 1e-9, "{gap}");
    // 5.5 against 7 and 9.5 against 5.
    assert!((gap["mae_shuffled"].as_f64().unwrap() - 3.0).abs() < 1e-9, "{gap}");
    assert!((gap["correlation"].as_f64().unwrap() - 1.0).abs() < 1e-9, "{gap}");
    assert!(summary.get("energy").is_none(), "{summary}");
    let shown = std::fs::read_to_string(&page).unwrap();
    assert!(shown.contains("gap: asked against got") && shown.contains("gap = 7.00 was asked"), "{shown}");
    let text_of_rows = std::fs::read_to_string(&rows).unwrap();
    let first: serde_json::Value = serde_json::from_str(text_of_rows.lines().next().unwrap()).unwrap();
    assert_eq!((&first["target"]["gap"][0], &first["target"]["gap"][1]), (&5.0.into(), &5.5.into()), "{first}");

    let plain = write(folder.path(), "plain.xyz", ETHYL);
    let refused = evaluate(&plain, &asked[..4]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("given_NAME"));
    let other = write(folder.path(), "other.extxyz", water(5.0, 0.0).replace("given_gap", "given_Cv"));
    let refused = evaluate(&other, &asked[..4]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("computes no `Cv`"));
}
