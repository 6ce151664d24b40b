//! Property networks through the real binary: trained, and asked in place of `xtb`.

mod common;

use common::{Tiny, json, refusal, symdiff, text, write};
use std::path::{Path, PathBuf};

const NETWORK: &str = "[data]\nhalf = 'first'\n[model.backbone]\nkind = 'egnn'\nwidth = 8\nlayers = 1\nsublayers = 2\n[property]\nname = 'gap'\nchannels = 8\n\
    [train]\nbatch = 8\nsteps = 2\nvalidate_samples = 30\n";

/// A network of two steps that tells a property.
fn network(folder: &Path, property: &str) -> PathBuf {
    let (file, run) = (write(folder, "network.toml", NETWORK), folder.join(property));
    let name = format!("property.name={property}");
    let summary = json(&["train", text(&file), "--set", &name, "--out", text(&run), "--json"]);
    assert_eq!((&summary["property"]["name"], &summary["property"]["molecules"]), (&property.into(), &30.into()), "{summary}");
    assert!(summary["property"]["validation_mae"].as_f64().is_some_and(|error| error > 0.0), "{summary}");
    run
}

/// Two waters of which gaps were asked, a carbon of five hydrogens, which is not valid, and silane, of which the network knows nothing.
fn asked(folder: &Path) -> PathBuf {
    let comment = "Properties=species:S:1:pos:R:3 given_alpha=9 given_gap";
    let water = |gap: f64, stretch: f64| format!("3\n{comment}={gap}\nO 0 0 0\nH {} 0.59 0\nH -0.76 0.59 0\n", 0.76 + stretch);
    let methane = format!("6\n{comment}=1\nC 0 0 0\nH 1.09 0 0\nH -1.09 0 0\nH 0 1.09 0\nH 0 -1.09 0\nH 0 0 1.09\n");
    let silane = format!("5\n{comment}=8\nSi 0 0 0\nH 0.86 0.86 0.86\nH -0.86 -0.86 0.86\nH -0.86 0.86 -0.86\nH 0.86 -0.86 -0.86\n");
    write(folder, "asked.extxyz", [water(5.0, 0.0), water(7.0, 0.01), methane, silane].concat())
}

#[test]
fn a_network_is_asked_in_place_of_xtb() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (run, source) = (network(folder, "gap"), asked(folder));
    let (rows, page) = (folder.join("rows.jsonl"), folder.join("page.html"));
    let evaluate = |more: &[&str]| {
        let all =
            ["evaluate", "--molecules", text(&source), "--protocol", "edm-geom", "--target", "given", "--json", "--network", text(&run)];
        json(&[&all[..], more].concat())
    };
    let summary = evaluate(&["--rows", text(&rows), "--gallery", text(&page)]);
    let gap = &summary["target"]["gap"];
    // Polarisabilities were asked too, of which no network is given.
    assert!(summary["target"].get("alpha").is_none() && summary.get("energy").is_none(), "{summary}");
    let lines: Vec<serde_json::Value> =
        std::fs::read_to_string(&rows).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let got: Vec<Option<f64>> = lines.iter().map(|line| line["target"]["gap"][1].as_f64()).collect();
    assert!(got[..3].iter().all(Option::is_some) && got[3].is_none(), "{got:?}");
    assert_eq!(lines[0]["target"]["alpha"], serde_json::json!([9.0, null]));
    let errors: Vec<f64> = [5.0, 7.0, 1.0].iter().zip(&got).map(|(asked, got)| (asked - got.unwrap()).abs()).collect();
    let valid: Vec<f64> = lines.iter().zip(&errors).filter(|(line, _)| line["valid"] == true).map(|(_, error)| *error).collect();
    assert_eq!((gap["molecules"].as_u64(), gap["all"]["molecules"].as_u64()), (Some(valid.len() as u64), Some(3)), "{gap}");
    assert!(valid.len() == 2, "the methane of five hydrogens is not valid");
    for (found, errors) in [(&gap["mae"], &valid), (&gap["all"]["mae"], &errors)] {
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        assert!((found.as_f64().unwrap() - mean).abs() < 1e-9, "{gap}");
    }
    // Real molecules: the second half of the embedded set's training part.
    assert_eq!(gap["held_out"], 3200, "{gap}");
    for key in ["lower_bound", "numnodes", "random"] {
        assert!(gap[key].as_f64().is_some_and(|value| value > 0.1), "{key}: {gap}");
    }
    let shown = std::fs::read_to_string(&page).unwrap();
    assert!(shown.contains("gap: asked against got") && shown.contains("got (property network)"), "{shown}");
    assert_eq!(evaluate(&[])["target"], summary["target"]);
}

#[test]
fn networks_and_models_that_draw_are_told_apart() {
    let tiny = Tiny::trained();
    let folder = tiny.folder();
    let (run, source) = (network(folder, "mu"), asked(folder));
    let evaluate = |more: &[&str]| {
        refusal(&[&["evaluate", "--molecules", text(&source), "--protocol", "edm-geom", "--target", "given"], more].concat())
    };
    assert!(evaluate(&["--network", text(tiny.run())]).contains("draws molecules"));
    assert!(evaluate(&["--network", text(&run)]).contains("alpha, gap was asked of the molecules, and --network predicts mu"));
    assert!(evaluate(&["--network", text(&run), "--network", text(&run)]).contains("another network predicts mu already"));
    let out = folder.join("never.sdf");
    assert!(refusal(&["sample", "--run", text(&run), "-n", "1", "--out", text(&out)]).contains("draws no molecules"));
    assert!(refusal(&["nll", "--run", text(&run)]).contains("draws no molecules"));
    assert!(refusal(&["train", text(tiny.experiment()), "--out", text(&run), "--resume"]).contains("another experiment"));
    for more in [&["--target", "given"][..], &["--network", text(&run)]] {
        let output = symdiff(&[&["evaluate", "--molecules", text(&source)], more].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}");
    }
    let file = folder.join("network.toml");
    let plan = json(&["train", text(&file), "--dry-run", "--json"]);
    assert_eq!(plan["steps"], 2, "{plan}");
}

/// The data set is needed for the errors on real molecules alone.
#[test]
fn without_its_data_a_network_still_judges() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let frame =
        |k: usize| format!("3\nProperties=species:S:1:pos:R:3 gap={}\nO 0 0 0\nH 0.{} 0.59 0\nH -0.76 0.59 0\n", k % 7, 70 + k % 20);
    let data = write(folder, "mine.extxyz", (0..60).map(frame).collect::<String>());
    let (file, run) = (write(folder, "network.toml", NETWORK), folder.join("run"));
    let path = format!("data.path={}", text(&data));
    json(&["train", text(&file), "--set", &path, "--out", text(&run), "--json"]);
    let source = asked(folder);
    let evaluate =
        ["evaluate", "--molecules", text(&source), "--protocol", "edm-geom", "--target", "given", "--network", text(&run), "--json"];
    let there = json(&evaluate);
    assert_eq!(there["target"]["gap"]["held_out"], 24, "{there}");
    std::fs::remove_file(&data).unwrap();
    let output = symdiff(&evaluate);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no error of the network of gap on held-out molecules"));
    let gone: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&gone["target"]["gap"]["held_out"], &gone["target"]["gap"]["mae"]),
        (&serde_json::Value::Null, &there["target"]["gap"]["mae"])
    );
}
