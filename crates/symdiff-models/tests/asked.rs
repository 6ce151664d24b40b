//! What is asked reaches the network, and leaves the model equivariant in law.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{TestResult, conditioned, shaken};
use symdiff_core::MarkovKernel;
use symdiff_core::testing::LawTest;
use symdiff_diffusion::{At, Eps, Guidance, Times};
use symdiff_groups::Orthogonal;
use symdiff_models::models::{Inputs, MoleculeDenoiser};
use symdiff_models::{Asked, Experiment, Model};
use symdiff_mol::data::embedded;
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Noise, Samples};

const COPIES: usize = 100;

fn copies() -> Result<Molecules, Box<dyn std::error::Error>> {
    Ok(Encoding::qm9().encode(embedded(), &[40; COPIES], Samples::numbered(COPIES), DType::F32, &Device::Cpu)?)
}

fn asked(values: [Option<f64>; 2]) -> symdiff_models::Result<Asked> {
    Asked::new(&vec![values.to_vec(); COPIES], DType::F32, &Device::Cpu)
}

fn guided(experiment: &Experiment, model: &Model, weight: f64) -> Result<MoleculeDenoiser, Box<dyn std::error::Error>> {
    let inputs = Inputs { guidance: Guidance::new(weight)?, ..experiment.inputs() };
    Ok(experiment.model.build(inputs, Noise::seeded(0), model.parameters.builder())?)
}

/// With guidance of weight 2, symmetrised and not.
#[test]
fn a_guided_model_is_equivariant_in_law() -> TestResult {
    let (test, o3) = (LawTest::default(), Orthogonal::new(3));
    let at = At { state: copies()?, time: Times::Shared(0.4), given: asked([Some(1.5), Some(-0.5)])? };
    for (text, equivariant) in [("preset = 'symdiff-tiny'", true), ("preset = 'symdiff-tiny'\ngamma = { kind = 'none' }", false)] {
        let experiment = conditioned(text)?;
        let denoiser = guided(&experiment, &shaken(&experiment)?, 2.0)?;
        let p = test.equivariance(&o3, &denoiser, &at, Noise::seeded(3))?.p_value;
        assert_eq!(p > 0.01, equivariant, "{text}: p = {p}");
    }
    Ok(())
}

/// The same draws: what is asked changes the answer of every kind of network, and ∅ is not a value of zero; guidance is what its formula says.
#[test]
fn what_is_asked_changes_the_answer_and_nothing_else_does() -> TestResult {
    let graph = "width = 16, layers = 2 }";
    let kinds = [
        "preset = 'symdiff-tiny'\ngamma = { kind = 'none' }".to_owned(),
        format!("backbone = {{ kind = 'egnn', {graph}"),
        format!("backbone = {{ kind = 'gnn', {graph}"),
        format!("backbone = {{ kind = 'deep_set', {graph}"),
    ];
    for text in kinds {
        let experiment = conditioned(&text)?;
        let model = shaken(&experiment)?;
        let answer = |denoiser: &MoleculeDenoiser, given: Asked| -> Result<Tensor, Box<dyn std::error::Error>> {
            let Eps(said) = denoiser.sample(&At { state: copies()?, time: Times::Shared(0.4), given }, Noise::seeded(1))?;
            Ok(said.joined()?)
        };
        let far = |a: &Tensor, b: &Tensor| -> candle_core::Result<f32> { (a - b)?.abs()?.max_all()?.to_scalar::<f32>() };
        let free = answer(&model.denoiser, Asked::default())?;
        let zero = answer(&model.denoiser, asked([Some(0.0), Some(0.0)])?)?;
        let some = answer(&model.denoiser, asked([Some(1.5), None])?)?;
        assert!(far(&free, &zero)? > 1e-4 && far(&free, &some)? > 1e-4 && far(&zero, &some)? > 1e-4, "{text}");
        let expected = ((&some * 3.0)? - (&free * 2.0)?)?;
        let found = answer(&guided(&experiment, &model, 2.0)?, asked([Some(1.5), None])?)?;
        let size = expected.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(far(&found, &expected)? < 1e-5 * size, "{text}: {} of {size}", far(&found, &expected)?);
        let wrong = Asked::new(&vec![vec![Some(1.0)]; COPIES], DType::F32, &Device::Cpu)?;
        assert!(answer(&model.denoiser, wrong).is_err_and(|error| error.to_string().contains("made for 2")), "{text}");
    }
    Ok(())
}
