//! Runs: they resume bit for bit, draw the same molecules in every batch, and report errors in one sentence.

mod common;

use candle_core::Device;
use common::TestResult;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use symdiff_models::{Experiment, Sampling, Trained, resume, start};
use symdiff_train::metrics::rows;
use symdiff_train::{CHECKPOINT, Precision};

fn tiny(steps: u64, setting: &str) -> symdiff_models::Result<Experiment> {
    let text = "[model]\npreset = 'symdiff-tiny'\n[train]\nbatch = 16\nlr = 1e-3\nema = 0.9\nsteps = 1\nclipping = 'queue'\n";
    Experiment::parse(text, &[format!("train.steps={steps}"), setting.to_owned()])
}

fn train(folder: &Path, steps: u64, setting: &str) -> symdiff_models::Result<()> {
    start(tiny(steps, setting)?, 3, folder, &Device::Cpu)?.run(&mut |_| ControlFlow::Continue(())).map(|_| ())
}

#[test]
fn a_resumed_run_equals_an_unbroken_one_bit_for_bit() -> TestResult {
    ["train.precision=f32", "train.precision=bf16", "data.fixed=0.5"].into_iter().try_for_each(resumed_equals_unbroken)
}

fn resumed_equals_unbroken(setting: &str) -> TestResult {
    let (whole, broken) = (tempfile::tempdir()?, tempfile::tempdir()?);
    train(whole.path(), 12, setting)?;
    train(broken.path(), 5, setting)?;
    // What a killed process leaves after its last checkpoint: rows of later steps, and half a row.
    let stale = r#"{"step":6,"loss":9.0,"gradient_norm":1.0,"lr":1.0,"seconds":1.0,"molecules_per_s":1.0}"#;
    let metrics = broken.path().join("metrics.jsonl");
    std::fs::write(&metrics, std::fs::read_to_string(&metrics)? + stale + "\n{\"step\":7,\"lo")?;
    resume(broken.path(), Some(tiny(12, setting)?), None, &Device::Cpu)?.run(&mut |_| ControlFlow::Continue(()))?;

    let key = |folder: &Path| -> symdiff_models::Result<Vec<(u64, u64, u64)>> {
        Ok(rows(folder)?.iter().map(|row| (row.step, row.loss.to_bits(), row.gradient_norm.to_bits())).collect())
    };
    assert_eq!(key(whole.path())?, key(broken.path())?);
    let tensors = |folder: &Path| -> Result<BTreeMap<String, Vec<u8>>, Box<dyn std::error::Error>> {
        let bytes = std::fs::read(folder.join(CHECKPOINT))?;
        let file = safetensors::SafeTensors::deserialize(&bytes)?;
        Ok(file.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect())
    };
    assert!(tensors(whole.path())? == tensors(broken.path())?, "weights, moments or averages differ");
    Ok(())
}

#[test]
fn a_seed_names_its_molecules_whatever_the_batch() -> TestResult {
    let run = tempfile::tempdir()?;
    train(run.path(), 4, "train.precision=f32")?;
    let trained = Trained::load(run.path(), &Device::Cpu)?;
    let draw = |batch| {
        let options = Sampling { steps: Some(20), batch, ..Sampling::of(6, 5) };
        trained.sample(&options, &mut |_| ())
    };
    let (together, apart) = (draw(None)?, draw(Some(2))?);
    for (a, b) in together.iter().zip(&apart) {
        assert_eq!(a.atomic_numbers(), b.atomic_numbers());
        let distance = a.positions().iter().flatten().zip(b.positions().iter().flatten()).map(|(p, q)| (p - q).abs()).fold(0.0, f64::max);
        assert!(distance < 1e-4, "atoms differ by {distance} angstrom");
    }
    Ok(())
}

/// A model keeps its weights as products read them, and draws by others after they are rounded.
#[test]
fn weights_that_are_rounded_after_a_call_are_those_that_draw() -> TestResult {
    let run = tempfile::tempdir()?;
    train(run.path(), 4, "train.precision=f32")?;
    let load = || Trained::load(run.path(), &Device::Cpu);
    let draw = |trained: &Trained| -> symdiff_models::Result<Vec<[u64; 3]>> {
        let molecules = trained.sample(&Sampling { steps: Some(3), ..Sampling::of(3, 5) }, &mut |_| ())?;
        Ok(molecules.iter().flat_map(|molecule| molecule.positions().to_vec()).map(|position| position.map(f64::to_bits)).collect())
    };
    let (early, late) = (load()?.rounded(Precision::Bf16)?, load()?);
    let before = draw(&late)?;
    let late = late.rounded(Precision::Bf16)?;
    assert!(draw(&late)? == draw(&early)? && draw(&late)? != before);
    Ok(())
}

#[test]
fn refusals_name_file_and_remedy() -> TestResult {
    let run = tempfile::tempdir()?;
    train(run.path(), 2, "train.precision=f32")?;
    let message = |result: symdiff_models::Result<()>| result.map_err(|error| error.to_string()).err().unwrap_or_default();

    let other = Experiment::parse("[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 9\nlr = 0.5\n", &[])?;
    let refused = message(resume(run.path(), Some(other), None, &Device::Cpu).map(|_| ()));
    assert!(refused.contains(CHECKPOINT) && refused.contains("another experiment"), "{refused}");

    let file = run.path().join(CHECKPOINT);
    let whole = std::fs::read(&file)?;
    for length in [0, 7, 100, whole.len() - 1] {
        std::fs::write(&file, &whole[..length])?;
        let refused = message(Trained::load(run.path(), &Device::Cpu).map(|_| ()));
        assert!(refused.contains(CHECKPOINT) && refused.contains("earlier checkpoint"), "{length} bytes: {refused}");
    }

    for (text, word) in [
        ("[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 1\nlearning_rate = 1\n", "learning_rate"),
        ("[model]\npreset = 'symdif'\n[train]\nsteps = 1\n", "symdiff-tiny"),
        ("[model]\npreset = 'symdiff-tiny'\n", "no budget"),
        ("[model]\npreset = 'symdiff-tiny'\nbackbone = { heads = 3 }\n[train]\nsteps = 1\n", "heads"),
        ("[model]\npreset = 'symdiff-tiny'\nbackbone = { embedding = 64 }\n[train]\nsteps = 1\n", "embedding"),
        ("[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 1\nbatch = 0\n", "train.batch"),
        ("[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 1\nprecision = 'f16'\n", "bf16"),
        ("[model]\npreset = 'symdiff-tiny'\ngroup = 'none'\n[train]\nsteps = 1\n", "model.group is none"),
        ("[model]\npreset = 'symdiff-tiny'\ngroup = 'so2'\n[train]\nsteps = 1\n", "so2"),
        ("[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 1\n[diffusion]\nschedule = 'linear'\n", "linear"),
        ("[model]\npreset = 'symdiff-tiny'\n[train]\nsteps = 1\n[diffusion]\nprecision = nan\n", "diffusion.precision is NaN"),
        ("[model]\npreset = 'symdiff-tiny'\nbackbone = { hidden = 100000, depth = 10000 }\n[train]\nsteps = 1\n", "GiB of memory"),
        ("[model]\npreset = 'symdiff-tiny'\nbackbone = { hidden = 9007199254740992 }\n[train]\nsteps = 1\n", "model.backbone.hidden is 9"),
        ("[model\n", "expected"),
    ] {
        let built = Experiment::parse(text, &[]).and_then(|e| start(e, 0, run.path(), &Device::Cpu).map(|_| ()));
        let refused = message(built);
        assert!(refused.contains(word) && refused.lines().count() == 1, "{text:?}: {refused}");
    }
    Ok(())
}
