//! Every parameter of every model learns.
//!
//! Candle has fused ops without a backward pass: through them `backward()` succeeds and parameters silently get no gradient. These tests fail then.

mod common;

use candle_core::{DType, Device};
use common::{TestResult, batch, completing, conditioned, experiment, first_atoms, shaken};
use symdiff_models::Asked;
use symdiff_ops::{Noise, gradients};

/// Every kind of model there is, small.
const MODELS: [&str; 8] = [
    "preset = 'symdiff-tiny'",
    "preset = 'symdiff-tiny'\ngamma = { kind = 'haar' }",
    "preset = 'symdiff-tiny'\ngamma = { kind = 'none' }",
    "backbone = { kind = 'deep_set', width = 16, layers = 2 }\ngamma = { kind = 'learned', hidden = 16, depth = 1, heads = 2, decoder = 8 }",
    "backbone = { kind = 'egnn', width = 16, layers = 2, divisor = 20 }",
    "preset = 'symdiff-tiny'\ngroup = 'so3'",
    "backbone = { kind = 'gnn', width = 16, layers = 2, mean = true }\ngamma = { kind = 'learned', hidden = 16, depth = 1, heads = 2, decoder = 8 }",
    "backbone = { kind = 'gnn', width = 16, layers = 2, mean = true }",
];

#[test]
fn every_parameter_of_every_model_gets_a_finite_nonzero_gradient() -> TestResult {
    let asked =
        Asked::new(&[vec![Some(0.7), None], vec![Some(-1.0), Some(0.3)], vec![None; 2], vec![None, Some(2.0)]], DType::F32, &Device::Cpu)?;
    for text in MODELS {
        for (experiment, asked) in [(experiment(text)?, Asked::default()), (conditioned(text)?, asked.clone())] {
            let model = shaken(&experiment)?;
            everything_learns(&model, &asked, text)?;
        }
    }
    let part = Asked::default().fixing(first_atoms(&batch(&[3, 700, 5000, 7999])?, 4)?);
    everything_learns(&shaken(&completing(MODELS[0])?)?, &part, "with fixed atoms")?;
    Ok(())
}

fn everything_learns(model: &symdiff_models::Model, asked: &Asked, text: &str) -> TestResult {
    for (through, store) in [("gradients", gradients(|| loss(model, asked))?.1), ("backward", loss(model, asked)?.backward()?)] {
        for (name, var) in model.parameters.named() {
            let gradient = store.get(&var).ok_or_else(|| format!("{text}, {through}: `{name}` gets no gradient"))?;
            let size = gradient.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(size.is_finite() && size > 0.0, "{text}, {through}: the gradient of `{name}` has largest entry {size}");
        }
    }
    Ok(())
}

#[test]
fn gradients_and_candles_backward_agree() -> TestResult {
    let model = shaken(&experiment(MODELS[0])?)?;
    let nothing = Asked::default();
    let (ours, candles) = (gradients(|| loss(&model, &nothing))?.1, loss(&model, &nothing)?.backward()?);
    for (name, var) in model.parameters.named() {
        let [ours, candles] = [&ours, &candles].map(|store| store.get(&var).cloned());
        let difference = (ours.ok_or("none")? - candles.ok_or("none")?)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(difference == 0.0, "`{name}` differs by {difference}");
    }
    Ok(())
}

fn loss(model: &symdiff_models::Model, asked: &Asked) -> Result<candle_core::Tensor, Box<dyn std::error::Error>> {
    Ok(model.loss(&batch(&[3, 700, 5000, 7999])?, asked, Noise::seeded(1))?.mean_all()?)
}
