//! Training steps in bf16 on a CPU, where products alone round their operands, beside steps in f32.

mod common;

use candle_core::{DType, Tensor};
use common::{TestResult, batch, experiment, shaken};
use symdiff_models::{Asked, Experiment};
use symdiff_ops::{Noise, gradients};
use symdiff_train::Precision;

/// The loss of a batch, and the gradients of all parameters, in a row.
fn step(experiment: &Experiment) -> Result<(f64, Tensor), Box<dyn std::error::Error>> {
    let (model, molecules) = (shaken(experiment)?, batch(&[3, 700, 41, 5])?);
    let loss = || Ok::<_, Box<dyn std::error::Error>>(model.loss(&molecules, &Asked::default(), Noise::seeded(1))?.mean_all()?);
    let (loss, store) = gradients(loss)?;
    let mut rows = Vec::new();
    for (name, var) in model.parameters.named() {
        let gradient = store.get(&var).ok_or_else(|| format!("{name} has no gradient"))?;
        assert_eq!(gradient.dtype(), DType::F32, "{name}");
        rows.push(gradient.to_dtype(DType::F64)?.flatten_all()?);
    }
    Ok((loss.to_dtype(DType::F64)?.to_scalar()?, Tensor::cat(&rows, 0)?))
}

/// A product in bf16 is off by 2⁻⁸ of its terms at most, at random; some thirty of them follow each other.
#[test]
fn a_step_in_bf16_is_within_its_rounding_and_the_same_every_time() -> TestResult {
    let length = |x: &Tensor| -> Result<f64, candle_core::Error> { Ok(x.sqr()?.sum_all()?.to_scalar::<f64>()?.sqrt()) };
    let graph = "backbone = { kind = 'egnn', width = 16, layers = 2, divisor = 20 }";
    for text in ["preset = 'symdiff-tiny'", graph] {
        let mut experiment = experiment(text)?;
        let (expected, gradients) = step(&experiment)?;
        experiment.train.precision = Precision::Bf16;
        let (loss, rounded) = step(&experiment)?;
        let (again, twice) = step(&experiment)?;
        assert!(loss.to_bits() == again.to_bits() && rounded.to_vec1::<f64>()? == twice.to_vec1::<f64>()?, "{text}: not the same twice");
        assert!((loss / expected - 1.0).abs() < 0.02, "{text}: loss {loss}, in f32 {expected}");
        let apart = length(&(&rounded - &gradients)?)? / length(&gradients)?;
        assert!((1e-4..0.1).contains(&apart), "{text}: gradients are {apart} apart");
    }
    Ok(())
}
