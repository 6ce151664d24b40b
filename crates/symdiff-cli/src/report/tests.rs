//! A small made-up report: every part is there, well formed, and loads nothing from outside.

use super::*;
use symdiff_diffusion::{Method, Route, Spacing};
use symdiff_models::suite::{Estimate, Scores, SeedTest};
use symdiff_mol::Molecule;
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::data;

fn samples(first: usize, count: usize) -> Vec<Molecule> {
    let set = data::embedded();
    (first..first + count).map(|i| set.molecule(i * 37 % set.len())).collect()
}

fn share(mean: f64) -> Estimate {
    Estimate { mean, standard_error: 0.012 }
}

fn scores(quality: f64) -> Scores {
    Scores {
        nll: None,
        atom_stability: Some(share(quality)),
        molecule_stability: Some(share(quality.powi(9))),
        validity: Some(share(quality.powi(4))),
        uniqueness: Some(share(0.99)),
        valid_unique: Some(share(0.99 * quality.powi(4))),
        connected: Some(share(quality.powi(3))),
    }
}

/// A sample that went astray: every atom pushed by a pseudo-random step of up to `by` angstrom.
fn shaken(molecule: &Molecule, by: f64) -> Molecule {
    let step = |k: usize| by * ((k as f64 * 12.9898).sin() * 43758.5453).fract();
    let moved = molecule.positions().iter().enumerate().map(|(i, x)| [0, 1, 2].map(|k| x[k] + step(3 * i + k)));
    Molecule::new(molecule.name(), molecule.atomic_numbers().to_vec(), moved.collect()).unwrap()
}

/// Two samplers at three numbers of calls each.
fn cells() -> Vec<CellReport> {
    let methods = [Method::Ancestral, Method::Heun];
    let routes = methods.into_iter().flat_map(|method| [100, 50, 10].map(|calls| Route::new(method, calls / method.calls())));
    routes.map(|route| CellReport { route, samples: 300, seconds: 2.5, scores: scores(1.0 - 1.0 / route.calls() as f64) }).collect()
}

fn run(name: &str, k: usize) -> RunReport {
    let noise = |step: u64| 1.0 + 0.4 * ((step * 7919 % 1013) as f64 / 1013.0 - 0.5);
    let by = 0.12 - 0.03 * k as f64;
    let molecules: Vec<_> = samples(100 * k, 300).iter().map(|molecule| shaken(molecule, by)).collect();
    RunReport {
        name: name.to_owned(),
        seed: 3,
        machine: Machine { processor: "A processor".to_owned(), threads: 2 },
        parameters: 1_234_567,
        steps: 4000,
        train_seconds: 251.0,
        sample_seconds: 31.4,
        route: Route { spacing: Spacing::LogSnr, ..Route::new(Method::StochasticDdim, 100) },
        samples: 300,
        scores: scores(0.9 + 0.02 * k as f64),
        cells: if k == 3 { cells() } else { Vec::new() },
        curve: (1..4000).map(|step| (step, noise(step) * (0.3 + 2.0 / (1.0 + 0.02 * step as f64)) * (1.0 - 0.05 * k as f64))).collect(),
        timed: (1..40).map(|k| (6.0 * k as f64, 0.3 + 1.0 / k as f64)).collect(),
        validated: (1..40).map(|k| 100 * k).collect(),
        geometry: Geometry::of(&molecules),
        chain: [1.0, 0.5, 0.0].iter().map(|t| shaken(&molecules[0], 2.0 * t).renamed(format!("t = {t:.3}"))).collect(),
        molecules: molecules.into_iter().take(24).collect(),
    }
}

fn report() -> Report {
    Report {
        title: "SymDiff <quick> & \"made up\"".to_owned(),
        profile: "quick".to_owned(),
        command: "cargo xtask reproduce --seed 3".to_owned(),
        seed: 3,
        seeds: vec![3, 4, 5],
        tests: Tests {
            made: vec![SeedTest {
                run: "one".into(),
                reference: "two".into(),
                score: "validity",
                difference: -0.01,
                standard_error: 0.02,
                interval: [-0.05, 0.03],
                p_value: 0.6,
                p_holm: 1.0,
                significant: false,
            }],
            missing: Some("No result yet: three.".to_owned()),
        },
        machines: vec![("DiT".to_owned(), Machine { processor: "A processor".to_owned(), threads: 2 })],
        nominal_minutes: None,
        seconds: 1203.0,
        protocol: Protocol::EdmQm9,
        rows: ["DiT", "DiT-Aug", "SymDiff-H", "SymDiff"].into_iter().enumerate().map(|(k, name)| run(name, k)).collect(),
        data: DataReport {
            name: "embedded".to_owned(),
            samples: 1000,
            scores: scores(0.995),
            geometry: Geometry::of(data::embedded().molecules().step_by(4)),
            molecules: samples(0, 12),
        },
        published: &QM9,
    }
}

/// Writes to a folder that is kept when `REPORT_OUT` names it, to be looked at.
fn written(report: &Report) -> (std::path::PathBuf, Option<tempfile::TempDir>) {
    let kept = std::env::var_os("REPORT_OUT").map(std::path::PathBuf::from);
    let temporary = kept.is_none().then(|| tempfile::tempdir().unwrap());
    let folder = kept.or_else(|| temporary.as_ref().map(|dir| dir.path().to_owned())).unwrap();
    write(report, &folder).unwrap();
    (folder, temporary)
}

#[test]
fn a_report_has_all_its_parts() {
    let report = report();
    let (folder, _guard) = written(&report);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let page = read("report.html");
    assert!(page.contains("SymDiff &lt;quick&gt; &amp; &quot;made up&quot;") && !page.contains("<quick>"));
    for row in &report.rows {
        assert!(page.contains(&format!(r#"<th scope="row">{}</th>"#, row.name)), "{}", row.name);
    }
    assert_eq!(page.matches("<canvas").count(), 4 * 24 + 12 + 4 * 3);
    assert_eq!(page.matches("<figcaption>t = 0.500</figcaption>").count(), 4);
    assert_eq!(page.matches("<svg").count(), 11);
    assert!(page.contains("not run here") && page.contains("−129.35") && page.contains(&report.command));
    for outside in ["src=", "<link", "url(", "@import", "fetch(", "import("] {
        assert!(!page.contains(outside), "{outside} loads something");
    }
    balanced(&page);

    let csv: Vec<String> = read("table.csv").lines().map(str::to_owned).collect();
    assert_eq!(csv.len(), 1 + 4 + 1 + QM9.rows.len());
    assert!(csv.iter().all(|line| line.matches(',').count() == csv[0].matches(',').count()), "{csv:#?}");
    assert!(csv[1].starts_with("run,\"DiT\",,,0.9,0.012,"));
    let table = read("table.md");
    assert_eq!(table.matches("(published)").count(), QM9.rows.len());
    assert!(table.contains("| SymDiff | – | 96.0 ± 1.2 |"), "{table}");

    let cells: Vec<String> = read("cells.csv").lines().map(str::to_owned).collect();
    assert_eq!(cells.len(), 1 + 6);
    assert!(cells.iter().all(|line| line.matches(',').count() == cells[0].matches(',').count()), "{cells:#?}");
    assert!(cells[4].starts_with("\"SymDiff\",heun,uniform,fresh,50,100,300,2.5,0.99,0.012,"), "{cells:#?}");
    assert!(read("cells.md").contains("| SymDiff | heun | uniform | fresh | 100 | 99.0 ± 1.2 |"), "{}", read("cells.md"));

    let plots: Vec<_> = std::fs::read_dir(folder.join("plots")).unwrap().collect();
    assert_eq!(plots.len(), 11);
    for name in ["calls-SymDiff-atom_stability", "loss", "time", "sizes", "bond-c-h", "bond-c-c"] {
        let svg = read(&format!("plots/{name}.svg"));
        roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{name}.svg: {error}"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
    }
}

#[test]
fn a_report_of_failed_runs_is_still_a_report() {
    let mut report = report();
    report.rows.truncate(1);
    report.rows[0] = RunReport {
        curve: vec![(1, f64::NAN), (2, f64::INFINITY)],
        scores: Scores { atom_stability: Some(share(f64::NAN)), ..Scores::default() },
        geometry: Geometry::default(),
        molecules: Vec::new(),
        chain: Vec::new(),
        ..run("SymDiff", 0)
    };
    report.data.geometry = Geometry::default();
    let temporary = tempfile::tempdir().unwrap();
    write(&report, temporary.path()).unwrap();
    let page = std::fs::read_to_string(temporary.path().join("report.html")).unwrap();
    assert!(!page.contains("NaN") && !page.contains(">inf") && !page.contains("forming"));
    balanced(&page);
}

/// Every element that is opened is closed, in order.
fn balanced(page: &str) {
    const VOID: [&str; 2] = ["meta", "!DOCTYPE"];
    let mut open = Vec::new();
    let mut rest = page;
    while let Some((_, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').expect("a tag ends");
        rest = after;
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !VOID.contains(&name) {
            open.push(name);
        }
        if name == "script" || name == "style" {
            let end = rest.find(&format!("</{name}")).expect("raw text ends");
            rest = &rest[end..];
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
