//! The CUDA kernels on the emulator against the CPU: arithmetic, barriers, and writes outside of the results.

use candle_core::{DType, Device, Tensor, Var};
use symdiff_ops::adamw::{Moments, Parts, Rule};
use symdiff_ops::emulate::emulated;
use symdiff_ops::{Products, Result, agreement, columns, linear};

fn waves(seed: usize, rows: usize, width: usize) -> Result<Tensor> {
    Ok(Tensor::arange(0, (rows * width) as u32, &Device::Cpu)?
        .to_dtype(DType::F32)?
        .affine(0.37, seed as f64)?
        .sin()?
        .reshape((rows, width))?)
}

fn apart(a: &Tensor, b: &Tensor) -> Result<f32> {
    Ok((a - b)?.abs()?.max_all()?.to_scalar()?)
}

#[test]
fn every_op_agrees_forward_and_backward() -> Result<()> {
    let rows = emulated(|| agreement::compare(&Device::Cpu, |_| {}))?;
    let wrong: Vec<_> = rows.iter().filter(|row| !row.agrees()).collect();
    assert!(wrong.is_empty(), "{} of {} disagree: {wrong:#?}", wrong.len(), rows.len());
    Ok(())
}

/// Parameters of 1, 7 and 5,000 entries, three steps, with and without clipping, with and without AMSGrad.
#[test]
fn the_optimiser_moves_as_on_the_cpu() -> Result<()> {
    let sizes = [1_usize, 7, 5000];
    let tensor = |k: usize, size: usize| Tensor::arange(0, size as u32, &Device::Cpu)?.to_dtype(DType::F32)?.affine(0.37, k as f64)?.sin();
    let run = |limit: f64, amsgrad: bool| -> Result<Vec<Tensor>> {
        let vars: Vec<Var> = sizes.iter().map(|&size| Ok(Var::from_tensor(&tensor(1, size)?)?)).collect::<Result<_>>()?;
        let mut moments: Vec<Moments> = vars.iter().map(|var| Moments::new(var, amsgrad)).collect::<Result<_>>()?;
        for step in 1..=3 {
            let gradients: Vec<Tensor> = sizes.iter().map(|&size| Ok(tensor(1 + step as usize, size)?)).collect::<Result<_>>()?;
            let rule = Rule { lr: 0.1, weight_decay: 0.1, step, ema: 0.9, ..Rule::default() };
            let norm = symdiff_ops::adamw::global_norm(&gradients.iter().collect::<Vec<_>>())?;
            let items = moments.iter_mut().zip(&vars).zip(&gradients).map(|((moments, var), gradient)| (moments, var, gradient));
            symdiff_ops::adamw::step_all(items, &rule, Some((&norm, limit)))?;
        }
        let mut all: Vec<Tensor> = vars.iter().map(|var| Ok(var.copy()?)).collect::<Result<_>>()?;
        for moments in &moments {
            let Parts { first, second, maximum, average } = moments.parts()?;
            all.extend([first, second, average].into_iter().chain(maximum));
        }
        Ok(all)
    };
    for (limit, amsgrad) in [(2.0, true), (1e6, true), (2.0, false), (1e6, false)] {
        for (expected, got) in run(limit, amsgrad)?.iter().zip(emulated(|| run(limit, amsgrad))?) {
            let error = (expected - got)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(error < 2e-6, "off by {error}");
        }
    }
    Ok(())
}

/// More parts than a launch takes, of widths that vectors divide and of others.
#[test]
fn columns_are_joined_as_on_the_cpu() -> Result<()> {
    for (count, step) in [(1, 3), (5, 8), (70, 1), (130, 4)] {
        let parts = (1..=count).map(|k| waves(k, 9, step * (1 + k % 5))).collect::<Result<Vec<_>>>()?;
        let parts: Vec<&Tensor> = parts.iter().collect();
        assert!(apart(&columns::joined(&parts)?, &emulated(|| columns::joined(&parts))?)? == 0.0, "{count} parts");
    }
    let refused = columns::joined(&[&waves(1, 9, 2)?, &waves(1, 8, 2)?]).map(drop).map_err(|error| error.to_string());
    assert_eq!(refused, Err("columns: part has shape [8, 2], expected [9, 2], as many rows as the first".into()));
    Ok(())
}

#[test]
fn maps_of_one_input_are_pulled_back_as_on_the_cpu() -> Result<()> {
    let (x, outputs) = (waves(1, 6, 11)?, [4, 1, 17]);
    let weights = outputs.map(|width| waves(width, width, 11)).into_iter().collect::<Result<Vec<_>>>()?;
    let gradients = outputs.map(|width| waves(2 + width, 6, width)).into_iter().collect::<Result<Vec<_>>>()?;
    let weights: Vec<&Tensor> = weights.iter().collect();
    let (expected, of_maps) = linear::backward_fan(&x, &weights, &gradients, Products::Full)?;
    let (got, emulated_maps) = emulated(|| linear::backward_fan(&x, &weights, &gradients, Products::Full))?;
    assert!(apart(&expected, &got)? < 1e-5);
    for (expected, got) in of_maps.iter().flatten().zip(emulated_maps.iter().flatten()) {
        assert!(apart(expected, got)? < 1e-5, "{expected} against {got}");
    }
    Ok(())
}
