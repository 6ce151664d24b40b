//! Shared by the tests of the ops: `check_op` and pseudo-random tensors.

use candle_core::{DType, Device, Tensor, Var};
use symdiff_ops::{Noise, Ragged, Result, Samples};

/// Layouts that find mistakes: single nodes, a sample of one node, 33 nodes after 32, one large sample.
pub(crate) fn layouts() -> Result<Vec<Ragged>> {
    [&[1_usize][..], &[5], &[1, 1, 1], &[3, 1, 18, 2], &[32, 33, 1], &[181, 7]].iter().map(|sizes| Ragged::from_sizes(sizes)).collect()
}

/// Standard normal numbers, the same for the same seed.
pub(crate) fn random(seed: u64, shape: &[usize]) -> Result<Tensor> {
    Ok(Noise::seeded(seed).normal(&Samples::numbered(1), shape, DType::F64, &Device::Cpu)?.squeeze(0)?)
}

/// An op as a function of its differentiable inputs.
pub(crate) type Op<'a> = &'a dyn Fn(&[&Tensor]) -> Result<Tensor>;

/// Holds an op against its slow composed twin (f64 and f32, values and gradients), against central differences, against itself run
/// again (the same bits), and against itself on strided inputs. `eps` is in units of the machine epsilon of each dtype, relative to
/// the largest entry: about the number of rounded operations in a chain.
pub(crate) fn check_op(op: Op, twin: Op, inputs: &[Tensor], eps: f64) -> Result<()> {
    for dtype in [DType::F64, DType::F32] {
        let inputs: Vec<Tensor> = inputs.iter().map(|input| Ok(input.to_dtype(dtype)?)).collect::<Result<_>>()?;
        let tolerance = eps * if dtype == DType::F64 { f64::EPSILON } else { f64::from(f32::EPSILON) };
        let exact: Vec<Tensor> = inputs.iter().map(|input| Ok(input.to_dtype(DType::F64)?)).collect::<Result<_>>()?;
        let (value, gradients) = with_gradients(op, &inputs)?;
        let (twin_value, twin_gradients) = with_gradients(twin, &exact)?;
        assert_close(&format!("value in {dtype:?}"), &value, &twin_value, tolerance)?;
        for (k, (gradient, twin)) in gradients.iter().zip(&twin_gradients).enumerate() {
            assert_close(&format!("gradient {k} in {dtype:?}"), gradient, twin, 4.0 * tolerance)?;
        }
        let again = with_gradients(op, &inputs)?;
        assert!(
            same_bits(&value, &again.0)? && gradients.iter().zip(&again.1).all(|(a, b)| same_bits(a, b).unwrap_or(false)),
            "the same bits"
        );
        let on_strided = |inputs: &[&Tensor]| -> Result<Tensor> {
            let inputs: Vec<Tensor> = inputs.iter().map(|input| strided(input)).collect::<Result<_>>()?;
            op(&inputs.iter().collect::<Vec<_>>())
        };
        let (moved, moved_gradients) = with_gradients(&on_strided, &inputs)?;
        assert!(same_bits(&value, &moved)?, "strided inputs change the value");
        assert!(gradients.iter().zip(&moved_gradients).all(|(a, b)| same_bits(a, b).unwrap_or(false)), "strided inputs change a gradient");
    }
    finite_differences(op, inputs)
}

/// The op's value, and the gradients of its product with fixed weights.
pub(crate) fn with_gradients(op: Op, inputs: &[Tensor]) -> Result<(Tensor, Vec<Tensor>)> {
    let vars: Vec<Var> = inputs.iter().map(|input| Ok(Var::from_tensor(input)?)).collect::<Result<_>>()?;
    let tracked: Vec<&Tensor> = vars.iter().map(Var::as_tensor).collect();
    let value = op(&tracked)?;
    let weights = random(77, value.dims())?.to_dtype(value.dtype())?;
    let store = (&value * weights)?.sum_all()?.backward()?;
    let zero = |var: &Var| Ok(var.zeros_like()?);
    let gradients = vars.iter().map(|var| store.get(var).map_or_else(|| zero(var), |g| Ok(g.clone()))).collect::<Result<_>>()?;
    Ok((value.detach(), gradients))
}

/// Directional derivatives in f64 against differences of fourth order, along two directions an input.
fn finite_differences(op: Op, inputs: &[Tensor]) -> Result<()> {
    let (value, gradients) = with_gradients(op, inputs)?;
    let weights = random(77, value.dims())?;
    let loss = |inputs: &[&Tensor]| -> Result<f64> { Ok((op(inputs)? * &weights)?.sum_all()?.to_scalar::<f64>()?) };
    for k in 0..inputs.len() {
        for seed in 0..2 {
            let direction = random(1000 + 10 * k as u64 + seed, inputs[k].dims())?;
            let along = |step: f64| -> Result<f64> {
                let moved = (&inputs[k] + (&direction * step)?)?;
                let inputs: Vec<&Tensor> = inputs.iter().enumerate().map(|(j, input)| if j == k { &moved } else { input }).collect();
                loss(&inputs)
            };
            let h = 1e-4;
            let numeric = (8.0 * (along(h)? - along(-h)?) - (along(2.0 * h)? - along(-2.0 * h)?)) / (12.0 * h);
            let products = (&gradients[k] * &direction)?;
            let (analytic, scale) = (products.sum_all()?.to_scalar::<f64>()?, products.abs()?.sum_all()?.to_scalar::<f64>()?);
            let error = (numeric - analytic).abs();
            assert!(error <= 1e-7 * scale + 1e-9, "input {k}: differences give {numeric}, the gradient {analytic}, scale {scale}");
        }
    }
    Ok(())
}

/// The same values with other strides.
pub(crate) fn strided(tensor: &Tensor) -> Result<Tensor> {
    let last = tensor.rank().saturating_sub(1);
    if last == 0 {
        return Ok(Tensor::stack(&[tensor, &tensor.zeros_like()?], 1)?.narrow(1, 0, 1)?.squeeze(1)?);
    }
    Ok(tensor.transpose(0, last)?.contiguous()?.transpose(0, last)?)
}

/// Fails unless `got` is within `relative` of `expected`'s largest entry, everywhere, and finite.
pub(crate) fn assert_close(what: &str, got: &Tensor, expected: &Tensor, relative: f64) -> Result<()> {
    assert_eq!(got.dims(), expected.dims(), "{what}");
    let (got, expected) = (flat(got)?, flat(expected)?);
    let scale = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    for (k, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let error = (got - expected).abs();
        assert!(error <= relative * scale + 1e-300, "{what}: entry {k} is {got}, expected {expected} ± {:e}", relative * scale);
    }
    Ok(())
}

/// The entries in f64, in row-major order.
pub(crate) fn flat(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

fn same_bits(a: &Tensor, b: &Tensor) -> Result<bool> {
    Ok(flat(a)?.iter().zip(&flat(b)?).all(|(a, b)| a.to_bits() == b.to_bits()))
}

/// The rows of each sample, by Candle's own ops: `[B]` tensors `[n_i, C]`.
pub(crate) fn samples(x: &Tensor, layout: &Ragged) -> Result<Vec<Tensor>> {
    (0..layout.len()).map(|i| Ok(x.narrow(0, layout.rows(i).start, layout.rows(i).len())?)).collect()
}

/// Row i of v for sample i; the only row when it has one.
pub(crate) fn own_row(v: &Tensor, sample: usize) -> Result<Tensor> {
    Ok(v.narrow(0, if v.dims()[0] == 1 { 0 } else { sample }, 1)?)
}
