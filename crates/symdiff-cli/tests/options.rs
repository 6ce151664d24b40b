//! Options of the published program, through the binary: the optimiser without AMSGrad, a plain perceptron, a cosine, a molecule forming.

mod common;

use common::{Tiny, binary, json, refusal, text, write};
use symdiff_diffusion::Method;
use symdiff_mol::{Molecule, formats};

fn molecules(file: &std::path::Path) -> Vec<Molecule> {
    formats::open(file).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_run_without_amsgrad_goes_on_without_it() {
    let tiny = Tiny::untrained();
    let (experiment, run) = (tiny.experiment(), tiny.run());
    let train = ["train", text(experiment), "--out", text(run), "--set", "train.amsgrad=false", "--json"];
    json(&train);
    let size = || std::fs::metadata(run.join("last.safetensors")).unwrap().len();
    let with = Tiny::trained();
    assert!(size() * 5 < std::fs::metadata(with.run().join("last.safetensors")).unwrap().len() * 9 / 2, "the maximum is still kept");
    assert_eq!(json(&[&train[..], &["--resume", "--set", "train.steps=3"]].concat())["steps"], 3);
    assert!(refusal(&["train", text(experiment), "--out", text(run), "--resume"]).contains("another experiment"));
}

#[test]
fn a_plain_perceptron_is_trained_and_sampled_and_dropout_is_refused_by_its_name() {
    let tiny = Tiny::untrained();
    let train = ["train", text(tiny.experiment()), "--out", text(tiny.run())];
    for setting in ["model.backbone.mlp_dropout=0.1", "model.gamma.mlp_dropout=0.1"] {
        assert!(refusal(&[&train[..], &["--set", setting]].concat()).contains("`mlp_dropout`"));
    }
    let plain = ["--set", "model.backbone.mlp_type='mlp'", "--set", "model.gamma.mlp_type='mlp'", "--json"];
    let parameters = json(&[&train[..], &plain].concat())["parameters"].as_u64().unwrap();
    // The second layers are twice as wide: 64 × 32 more weights in each of two blocks of k, 32 × 16 in the one of γ.
    assert_eq!(
        parameters,
        json(&["train", text(tiny.experiment()), "--out", text(&tiny.folder().join("packed")), "--json"])["parameters"].as_u64().unwrap()
            + 2 * 64 * 32
            + 32 * 16
    );
    let out = tiny.folder().join("s.xyz");
    json(&["sample", "--run", text(tiny.run()), "-n", "2", "--steps", "3", "--out", text(&out), "--json"]);
    assert_eq!(molecules(&out).len(), 2);
}

/// Another number of steps stretches the cosine: that is allowed, and said.
#[test]
fn a_stretched_cosine_is_told() {
    let tiny = Tiny::untrained();
    let train = ["train", text(tiny.experiment()), "--out", text(tiny.run()), "--set", "train.cosine=true"];
    json(&[&train[..], &["--json"]].concat());
    let warned = |steps: &str| {
        let output = binary().args(train).args(["--resume", "--set", steps]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said.lines().filter(|line| line.contains("over which the cosine falls")).count()
    };
    assert_eq!((warned("train.steps=2"), warned("train.steps=4")), (0, 1));
}

/// Watching changes nothing about the samples of any sampler, from noise, around a part or from a structure; the last frame is the first of them.
#[test]
fn a_molecule_is_seen_forming() {
    let tiny = Tiny::trained();
    let [watched, alone, chain] = ["watched.xyz", "alone.xyz", "chain.xyz"].map(|name| tiny.folder().join(name));
    let ethanol = "3\nstart\nC 0 0 0\nC 1.5 0 0\nO 2 1.3 0\n";
    let part = write(tiny.folder(), "part.xyz", ethanol);
    // Twenty steps pass 21 times, ten 11.
    let [whole, kept, varied] = [&[][..], &["--keep", text(&part), "--turns", "2"], &["--from", text(&part), "--noise", "0.5"]];
    let runs = Method::ALL.iter().flat_map(|method| [(method, whole, 21), (method, varied, 11)]);
    for (method, asked, states) in runs.chain([(&Method::DpmSolver3, kept, 21), (&Method::Ancestral, kept, 21)]) {
        let sampler = method.to_string();
        let sample = ["sample", "--run", text(tiny.run()), "-n", "3", "--steps", "20", "--seed", "5", "--json", "--sampler", &sampler];
        let sample = [&sample[..], asked].concat();
        json(&[&sample[..], &["--out", text(&alone)]].concat());
        json(&[&sample[..], &["--out", text(&watched), "--chain", text(&chain)]].concat());
        assert!(std::fs::read(&alone).unwrap() == std::fs::read(&watched).unwrap(), "{sampler}");
        let (frames, first) = (molecules(&chain), molecules(&alone).remove(0));
        assert_eq!(frames.len(), states + 1, "{sampler} {asked:?}");
        let start = if states == 21 { "t = 1.000" } else { "t = 0.500" };
        assert_eq!((frames[0].name(), frames[states - 1].name()), (start, "t = 0.000"), "{sampler} {asked:?}");
        assert!(frames.iter().all(|frame| frame.len() == first.len()));
        assert_eq!((frames[states].positions(), frames[states].atomic_numbers()), (first.positions(), first.atomic_numbers()));
        assert!(frames[..states].windows(2).all(|pair| pair[0].positions() != pair[1].positions()), "{sampler} {asked:?}");
    }
    let taken = ["sample", "--run", text(tiny.run()), "-n", "1", "--out", text(&alone), "--chain", text(&alone)];
    assert!(refusal(&taken).contains("alone.xyz"));
}

/// Two samplers have a churn, each its default; another gives other molecules, and samplers that have none refuse it.
#[test]
fn churn_belongs_to_two_samplers() {
    let tiny = Tiny::trained();
    let out = tiny.folder().join("s.xyz");
    let sample = ["sample", "--run", text(tiny.run()), "-n", "2", "--steps", "10", "--seed", "5", "--out", text(&out)];
    for (sampler, usual) in [("stochastic-euler", "0.5"), ("stochastic-ddim", "64")] {
        let drawn = |churn: &[&str]| {
            json(&[&sample[..], &["--sampler", sampler, "--json"], churn].concat());
            std::fs::read(&out).unwrap()
        };
        let [absent, given, one] = [&[][..], &["--churn", usual], &["--churn", "1"]].map(drawn);
        assert!(absent == given && given != one, "{sampler}");
        assert!(refusal(&[&sample[..], &["--sampler", sampler, "--churn=-1"]].concat()).contains("a churn of -1"));
    }
    assert!(refusal(&[&sample[..], &["--sampler", "ddim", "--churn", "1"]].concat()).contains("ddim has no churn; stochastic-ddim"));
}
