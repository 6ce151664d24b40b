//! Whole models on the emulated CUDA kernels: every op that a step needs is there, in every dtype that it comes in.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{TestResult, batch, experiment, shaken};
use std::collections::BTreeMap;
use std::path::Path;
use symdiff_models::{Asked, Experiment, Model, parity};
use symdiff_ops::emulate::{emulated, launches};
use symdiff_ops::{Noise, Samples, gradients};
use symdiff_train::Precision;
use symdiff_train::{Optimiser, Variables};

const MOLECULES: [usize; 2] = [3, 700];

/// Few steps of diffusion, so that a molecule's time is often 0: there the likelihood of its atoms is summed, in f64.
fn short(model: &str) -> symdiff_models::Result<Experiment> {
    let mut experiment = experiment(model)?;
    experiment.diffusion.steps = 3;
    Ok(experiment)
}

/// Noise under which one molecule's time is 0, and the other's is not.
fn noise() -> Result<Noise, &'static str> {
    let times = |seed| {
        let [times, _, _] = Noise::seeded(seed).split();
        times.integers(&Samples::new(MOLECULES.map(|place| place as u64)), 0..4)
    };
    let seed = (0..100).find(|&seed| times(seed).is_ok_and(|times| times.contains(&0) && times != [0, 0]));
    Ok(Noise::seeded(seed.ok_or("no seed draws such times")?))
}

/// The loss of a batch, and the gradient of every parameter.
fn step(model: &Model) -> Result<(f64, BTreeMap<String, Tensor>), Box<dyn std::error::Error>> {
    let (loss, store) =
        gradients(|| Ok::<_, Box<dyn std::error::Error>>(model.loss(&batch(&MOLECULES)?, &Asked::default(), noise()?)?.mean_all()?))?;
    let named = model.parameters.named().into_iter().map(|(name, var)| Ok((name, store.get(&var).ok_or("no gradient")?.clone())));
    Ok((loss.to_scalar()?, named.collect::<Result<_, &str>>()?))
}

/// The length of the difference over that of the expected gradient, all parameters together.
fn apart(expected: &BTreeMap<String, Tensor>, got: &BTreeMap<String, Tensor>) -> Result<f64, Box<dyn std::error::Error>> {
    let (mut difference, mut length) = (0.0, 0.0);
    for (name, expected) in expected {
        let got = &got[name];
        assert_eq!((got.dtype(), got.dims()), (DType::F32, expected.dims()), "{name}");
        let squares = |x: &Tensor| x.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>();
        difference += squares(&(got - expected)?)?;
        length += squares(expected)?;
    }
    Ok((difference / length).sqrt())
}

#[test]
fn a_training_step_agrees_with_the_cpu() -> TestResult {
    let graph = "backbone = { kind = 'egnn', width = 16, layers = 2, divisor = 20 }";
    for text in ["preset = 'symdiff-tiny'", graph] {
        let model = shaken(&short(text)?)?;
        let (expected, gradients) = step(&model)?;
        let (got, emulated) = emulated(|| step(&model))?;
        assert!((got / expected - 1.0).abs() < 1e-5, "{text}: loss {got}, expected {expected}");
        let apart = apart(&gradients, &emulated)?;
        assert!(apart < 1e-4, "{text}: gradients are {apart} apart");
    }
    Ok(())
}

/// Parameters and their gradients stay f32; what is in between is rounded to 8 bits, some thirty times on the way.
#[test]
fn a_training_step_in_bf16_is_within_its_rounding() -> TestResult {
    let mut experiment = short("preset = 'symdiff-tiny'")?;
    let (expected, gradients) = step(&shaken(&experiment)?)?;
    experiment.train.precision = Precision::Bf16;
    let model = shaken(&experiment)?;
    let (got, emulated) = emulated(|| step(&model))?;
    assert!((got / expected - 1.0).abs() < 0.02, "loss {got}, expected {expected}");
    let apart = apart(&gradients, &emulated)?;
    assert!(apart < 0.1, "gradients are {apart} apart");
    assert!(apart > 1e-4, "gradients are only {apart} apart: was anything rounded?");
    Ok(())
}

/// Every golden file, at the tolerance of the CPU.
#[test]
fn golden_vectors_are_met() -> TestResult {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in [here.join("tests/golden"), here.join("../../../shared/golden")] {
        if !folder.is_dir() {
            println!("skipped: there is no folder {}", folder.display());
            continue;
        }
        for file in parity::files(&folder)? {
            let report = emulated(|| parity::check(&file, &Device::Cpu))?;
            assert!(report.pass, "{report}");
        }
    }
    Ok(())
}

/// Kernels and products of a step of symdiff-qm9, whose number no width changes; so many short launches bound the speed (docs, GPUs).
#[test]
fn a_step_launches_as_often_as_the_book_says() -> TestResult {
    let small = "preset = 'symdiff-qm9'\nbackbone = { embedding = 16, gaussians = 16, hidden = 32, heads = 2 }\n\
                 gamma = { hidden = 16, heads = 2, decoder = 8 }";
    let experiment = experiment(small)?;
    let model = Model::fresh(&experiment, 0, Noise::seeded(0), &Device::Cpu)?;
    let mut optimiser = Optimiser::new(&Variables::from(&model.parameters), experiment.train.optimiser())?;
    let molecules = batch(&MOLECULES)?;
    let start = launches();
    let mut forward = 0;
    let loss = || {
        let loss = model.loss(&molecules, &Asked::default(), Noise::seeded(1))?.mean_all()?;
        forward = launches() - start;
        symdiff_models::Result::Ok(loss)
    };
    let (_, store) = emulated(|| gradients(loss))?;
    let backward = launches() - start - forward;
    let gradients = optimiser.gradients(store);
    emulated(|| optimiser.step(&gradients, 1e-4, 0))?;
    let update = launches() - start - forward - backward;
    assert_eq!([forward, backward, update], [252, 518, 9]);
    Ok(())
}
