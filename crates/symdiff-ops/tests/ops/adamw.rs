//! The optimiser step against its formula in f64.

use crate::common::{assert_close, flat, random};
use candle_core::{DType, Tensor, Var};
use symdiff_ops::Result;
use symdiff_ops::adamw::{Moments, Parts, Rule, global_norm, step_all};

/// The textbook step on numbers, for parameters of one block and of several, in both precisions, with and without AMSGrad.
#[test]
fn equals_the_formula_and_resumes_from_its_parts() -> Result<()> {
    equals_the_formula(true)?;
    equals_the_formula(false)
}

fn equals_the_formula(amsgrad: bool) -> Result<()> {
    let rule = |step| Rule { lr: 0.02, weight_decay: 0.05, eps: 1e-3, ema: 0.8, scale: 0.5, step, ..Rule::default() };
    for (size, dtype, eps) in [(7, DType::F64, 1e-14), (40_000, DType::F64, 1e-14), (40_000, DType::F32, 4e-6)] {
        let start = random(1, &[size])?.to_dtype(dtype)?;
        let var = Var::from_tensor(&start)?;
        let mut moments = Moments::new(&var, amsgrad)?;
        let mut states: Vec<[f64; 5]> = flat(&start)?.into_iter().map(|p| [p, 0.0, 0.0, 0.0, p]).collect();
        for step in 1..4 {
            let gradient = (random(10 + step, &[size])? * if step == 2 { 0.1 } else { 1.0 })?.to_dtype(dtype)?;
            moments.step(&var, &gradient, &rule(step))?;
            for ([p, m, v, top, average], g) in states.iter_mut().zip(flat(&gradient)?) {
                let g = 0.5 * g;
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                *top = if amsgrad { top.max(*v) } else { *v };
                let (first, second) = (1.0 - 0.9_f64.powf(step as f64), 1.0 - 0.999_f64.powf(step as f64));
                *p = *p * (1.0 - 0.02 * 0.05) - 0.02 * (*m / first) / ((*top / second).sqrt() + 1e-3);
                *average = 0.8 * *average + 0.2 * *p;
            }
            let Parts { first, second, maximum, average } = moments.parts()?;
            assert_eq!(maximum.is_some(), amsgrad);
            let top = maximum.as_ref().unwrap_or(&second);
            for (k, tensor) in [var.as_tensor(), &first, &second, top, &average].into_iter().enumerate() {
                let expected = Tensor::new(states.iter().map(|state| state[k]).collect::<Vec<_>>(), tensor.device())?;
                assert_close(&format!("state {k} after step {step}"), tensor, &expected, eps)?;
            }
            moments = Moments::from_parts(Parts { first: &first, second: &second, maximum: maximum.as_ref(), average: &average })?;
        }
    }
    Ok(())
}

#[test]
fn copies_of_the_moments_do_not_change_with_the_next_step() -> Result<()> {
    let var = Var::from_tensor(&random(1, &[3, 2])?)?;
    let mut moments = Moments::new(&var, true)?;
    let (before, values) = (moments.average()?, flat(&var)?);
    moments.step(&var, &random(2, &[3, 2])?, &Rule::default())?;
    assert_eq!(flat(&before)?, values);
    assert_ne!(flat(&var)?, values);
    let refused = moments.step(&var, &random(2, &[2, 3])?, &Rule::default()).map_err(|error| error.to_string());
    assert_eq!(refused, Err("adamw: gradient has shape [2, 3], expected [3, 2], the shape of the parameter".into()));
    Ok(())
}

/// The gradient falls from 1 to a tenth: the largest second moment lies behind, and a plain step is the larger one.
#[test]
fn amsgrad_remembers_the_largest_second_moment() -> Result<()> {
    let moved = |amsgrad: bool| -> Result<f64> {
        let var = Var::from_tensor(&Tensor::zeros(1, DType::F64, &candle_core::Device::Cpu)?)?;
        let mut moments = Moments::new(&var, amsgrad)?;
        for step in 1..=200 {
            let gradient = (var.ones_like()? * if step <= 100 { 1.0 } else { 0.1 })?;
            moments.step(&var, &gradient, &Rule { beta2: 0.9, step, ..Rule::default() })?;
        }
        Ok(flat(&var)?[0])
    };
    let (kept, plain) = (moved(true)?, moved(false)?);
    assert!(plain < kept - 0.05, "{plain} against {kept}");
    Ok(())
}

#[test]
fn moments_with_and_without_a_maximum_do_not_step_together() -> Result<()> {
    let vars = [Var::from_tensor(&random(1, &[3])?)?, Var::from_tensor(&random(2, &[3])?)?];
    let mut moments = [Moments::new(&vars[0], true)?, Moments::new(&vars[1], false)?];
    let gradient = random(3, &[3])?;
    let items = moments.iter_mut().zip(&vars).map(|(moments, var)| (moments, var, &gradient));
    let refused = step_all(items, &Rule::default(), None).map_err(|error| error.to_string());
    assert!(refused.is_err_and(|sentence| sentence.contains("with or without a maximum")));
    Ok(())
}

/// Candle's gradient of a product is another product, and so part of the graph where both factors are.
#[test]
fn gradients_that_are_part_of_a_graph_are_taken() -> Result<()> {
    let (w, v) = (Var::from_tensor(&random(1, &[3])?)?, Var::from_tensor(&random(2, &[3])?)?);
    let store = (w.as_tensor() * v.as_tensor())?.sum_all()?.backward()?;
    let gradient = store.get(&w).cloned().unwrap_or(w.zeros_like()?);
    assert!(gradient.track_op());
    assert!(!global_norm(&[&gradient])?.track_op());
    Moments::new(&w, true)?.step(&w, &gradient, &Rule::default())
}
