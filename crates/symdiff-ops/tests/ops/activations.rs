//! `swiglu`, `silu` and `gelu` against Candle's exponential, and at extreme arguments.

use crate::common::{check_op, flat, random};
use candle_core::{DType, Device, Tensor};
use symdiff_ops::{Result, gelu, silu, swiglu};

fn silu_twin(x: &Tensor) -> Result<Tensor> {
    Ok((x / (x.neg()?.exp()? + 1.0)?)?)
}

#[test]
fn silu_equals_its_formula() -> Result<()> {
    for shape in [&[1_usize][..], &[7], &[3, 5, 2], &[129, 67]] {
        let x = (random(1, shape)? * 3.0)?;
        check_op(&|i| silu(i[0]), &|i| silu_twin(i[0]), &[x], 16.0)?;
    }
    Ok(())
}

/// Half of x·(1 + tanh u), with Candle's hyperbolic tangent.
#[test]
fn gelu_equals_its_formula() -> Result<()> {
    let twin = |x: &Tensor| -> Result<Tensor> {
        let u = ((x + (x.powf(3.0)? * 0.044715)?)? * (2.0 / std::f64::consts::PI).sqrt())?;
        Ok(((x * (u.tanh()? + 1.0)?)? * 0.5)?)
    };
    for shape in [&[1_usize][..], &[7], &[3, 5, 2], &[129, 67]] {
        let x = (random(1, shape)? * 3.0)?;
        check_op(&|i| gelu(i[0]), &|i| twin(i[0]), &[x], 16.0)?;
    }
    Ok(())
}

#[test]
fn swiglu_equals_its_formula() -> Result<()> {
    for (rows, width) in [(1, 1), (3, 5), (33, 40), (70, 129)] {
        let x = (random(1, &[rows, 2 * width])? * 3.0)?;
        let twin = |i: &[&Tensor]| Ok((silu_twin(&i[0].narrow(1, 0, width)?)? * i[0].narrow(1, width, width)?)?);
        check_op(&|i| swiglu(i[0]), &twin, &[x], 16.0)?;
    }
    Ok(())
}

#[test]
fn a_replay_gives_the_same_bits_as_the_forward_pass() -> Result<()> {
    let (x, gradient) = (random(1, &[33, 80])?.to_dtype(DType::F32)?, random(2, &[33, 40])?.to_dtype(DType::F32)?);
    let [y, _] = swiglu::replayed(&x, &gradient)?;
    assert_eq!(flat(&y)?, flat(&swiglu::forward(&x)?)?);
    let [y, _] = gelu::replayed(&gradient, &gradient)?;
    assert_eq!(flat(&y)?, flat(&gelu::forward(&gradient)?)?);
    Ok(())
}

#[test]
fn extreme_arguments_saturate() -> Result<()> {
    let x = Tensor::new(&[-1e30_f32, -100.0, 0.0, 100.0, 1e30, f32::NAN], &Device::Cpu)?;
    let y = flat(&silu(&x)?)?;
    assert_eq!(y[..5], [0.0, 0.0, 0.0, 100.0, f64::from(1e30_f32)]);
    assert!(y[5].is_nan());
    let slopes = flat(&silu::backward(&x, &x.ones_like()?)?)?;
    assert_eq!(slopes[..5], [0.0, 0.0, 0.5, 1.0, 1.0]);
    let [y, slopes] = gelu::replayed(&x, &x.ones_like()?)?;
    assert_eq!(flat(&y)?[..5], [0.0, 0.0, 0.0, 100.0, f64::from(1e30_f32)]);
    assert_eq!(flat(&slopes)?[..5], [0.0, 0.0, 0.5, 1.0, 1.0]);
    assert!(flat(&y)?[5].is_nan() && flat(&slopes)?[5].is_nan());
    Ok(())
}

#[test]
fn odd_widths_and_integers_are_refused() -> Result<()> {
    let refused = swiglu(&random(1, &[2, 3])?).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(refused, Err("swiglu: x has shape [2, 3], expected [N, 2C], an even number of columns".into()));
    let integers = silu(&Tensor::zeros(2, DType::U32, &Device::Cpu)?).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(integers, Err("silu: dtype U32 is not supported; use f32 or f64 (on CUDA f32 or bf16)".into()));
    Ok(())
}
