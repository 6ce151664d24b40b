//! The optimiser step against golden vectors and against its formula in f64.

use crate::common::{assert_close, flat, golden, random};
use candle_core::{DType, Tensor, Var};
use symdiff_ops::Result;
use symdiff_ops::adamw::{Moments, Rule, global_norm};

#[test]
fn matches_five_golden_steps_with_clipping() -> Result<()> {
    let Some(golden) = golden("adamw_amsgrad_clip_ema.safetensors")? else { return Ok(()) };
    let names = ["weight", "bias"];
    let vars = names.map(|name| Var::from_tensor(&golden[&format!("in.param.{name}")]));
    let vars = vars.into_iter().collect::<candle_core::Result<Vec<_>>>()?;
    let mut moments = vars.iter().map(|var| Moments::new(var)).collect::<Result<Vec<_>>>()?;
    for step in 0..5_u64 {
        let gradients = names.map(|name| &golden[&format!("in.grad.{step}.{name}")]);
        let norm = global_norm(&gradients)?.to_scalar::<f64>()?;
        let expected = flat(&golden[&format!("out.norm.{step}")])?[0];
        assert!((norm - expected).abs() < 1e-5 * expected, "norm {norm}, expected {expected}");
        let scale = (2.0 / (norm + 1e-6)).min(1.0);
        let rule = Rule { lr: 0.01, weight_decay: 0.1, ema: 0.9, step: step + 1, scale, ..Rule::default() };
        for (k, name) in names.into_iter().enumerate() {
            moments[k].step(&vars[k], gradients[k], &rule)?;
            assert_close("parameter", &vars[k], &golden[&format!("out.param.{step}.{name}")], 1e-5)?;
            assert_close("average", &moments[k].average()?, &golden[&format!("out.ema.{step}.{name}")], 1e-5)?;
        }
    }
    Ok(())
}

/// The textbook step on numbers, for parameters of one block and of several, in both precisions.
#[test]
fn equals_the_formula_and_resumes_from_its_tensors() -> Result<()> {
    let rule = |step| Rule { lr: 0.02, weight_decay: 0.05, eps: 1e-3, ema: 0.8, scale: 0.5, step, ..Rule::default() };
    for (size, dtype, eps) in [(7, DType::F64, 1e-14), (40_000, DType::F64, 1e-14), (40_000, DType::F32, 4e-6)] {
        let start = random(1, &[size])?.to_dtype(dtype)?;
        let var = Var::from_tensor(&start)?;
        let mut moments = Moments::new(&var)?;
        let mut states: Vec<[f64; 5]> = flat(&start)?.into_iter().map(|p| [p, 0.0, 0.0, 0.0, p]).collect();
        for step in 1..4 {
            let gradient = (random(10 + step, &[size])? * if step == 2 { 0.1 } else { 1.0 })?.to_dtype(dtype)?;
            moments.step(&var, &gradient, &rule(step))?;
            for ([p, m, v, top, average], g) in states.iter_mut().zip(flat(&gradient)?) {
                let g = 0.5 * g;
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                *top = top.max(*v);
                let (first, second) = (1.0 - 0.9_f64.powf(step as f64), 1.0 - 0.999_f64.powf(step as f64));
                *p = *p * (1.0 - 0.02 * 0.05) - 0.02 * (*m / first) / ((*top / second).sqrt() + 1e-3);
                *average = 0.8 * *average + 0.2 * *p;
            }
            let [m, v, top, average] = moments.tensors()?;
            for (k, tensor) in [var.as_tensor(), &m, &v, &top, &average].into_iter().enumerate() {
                let expected = Tensor::new(states.iter().map(|state| state[k]).collect::<Vec<_>>(), tensor.device())?;
                assert_close(&format!("state {k} after step {step}"), tensor, &expected, eps)?;
            }
            moments = Moments::from_tensors([&m, &v, &top, &average])?;
        }
    }
    Ok(())
}

#[test]
fn copies_of_the_moments_do_not_change_with_the_next_step() -> Result<()> {
    let var = Var::from_tensor(&random(1, &[3, 2])?)?;
    let mut moments = Moments::new(&var)?;
    let (before, values) = (moments.average()?, flat(&var)?);
    moments.step(&var, &random(2, &[3, 2])?, &Rule::default())?;
    assert_eq!(flat(&before)?, values);
    assert_ne!(flat(&var)?, values);
    let refused = moments.step(&var, &random(2, &[2, 3])?, &Rule::default()).map_err(|error| error.to_string());
    assert_eq!(refused, Err("adamw: gradient has shape [2, 3], expected [3, 2], the shape of the parameter".into()));
    Ok(())
}
