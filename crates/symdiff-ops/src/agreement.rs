//! Kernels against the CPU: every op, forward and backward, on shapes that find mistakes.
//!
//! The inputs are rounded to the kernels' storage type first; the CPU computes on the rounded numbers in f64, so what remains is the
//! kernels' own error. Errors are relative to the largest entry of each tensor.

use crate::ada_layer_norm::Columns;
use crate::gram_schmidt3::By;
use crate::{Ragged, Result};
use candle_core::{DType, Device, Tensor, Var};

type Op = Box<dyn Fn(&[&Tensor]) -> Result<Tensor>>;

/// An op on particular inputs.
struct Case {
    op: &'static str,
    shape: String,
    inputs: Vec<Tensor>,
    body: Op,
    /// The numbers that one entry of a gradient sums up, about: rounding grows with their root.
    terms: usize,
}

/// How far one case is off.
#[derive(Clone, Debug)]
pub struct Row {
    /// The op.
    pub op: &'static str,
    /// Its sizes, in words.
    pub shape: String,
    /// The storage type.
    pub dtype: DType,
    /// Largest relative error of the value.
    pub forward: f64,
    /// Largest relative error of any gradient.
    pub backward: f64,
    /// What both may be.
    pub tolerance: f64,
}

impl Row {
    /// Whether both errors are within the tolerance; false for NaN.
    pub fn agrees(&self) -> bool {
        self.forward <= self.tolerance && self.backward <= self.tolerance
    }
}

/// Compares the kernels on `device` with the CPU in f64, for f32 and bf16 storage. `seen` hears of each row as it is done.
///
/// # Errors
/// When an op fails on either side.
pub fn compare(device: &Device, mut seen: impl FnMut(&Row)) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for case in cases()? {
        for dtype in [DType::F32, DType::BF16] {
            let row = compared(&case, dtype, device)?;
            seen(&row);
            rows.push(row);
        }
    }
    Ok(rows)
}

fn compared(case: &Case, dtype: DType, device: &Device) -> Result<Row> {
    let rounded: Vec<Tensor> = case.inputs.iter().map(|input| Ok(input.to_dtype(dtype)?)).collect::<Result<_>>()?;
    let exact: Vec<Tensor> = rounded.iter().map(|input| Ok(input.to_dtype(DType::F64)?)).collect::<Result<_>>()?;
    let there: Vec<Tensor> = rounded.iter().map(|input| Ok(input.to_device(device)?)).collect::<Result<_>>()?;
    let expected = on_host(|| value_and_gradients(&case.body, &exact, dtype))?;
    let got = value_and_gradients(&case.body, &there, dtype)?;
    let errors = got.iter().zip(&expected).map(|(got, expected)| error(got, expected)).collect::<Result<Vec<f64>>>()?;
    let epsilon = if dtype == DType::F32 { f64::from(f32::EPSILON) } else { 2_f64.powi(-8) };
    let worst = |errors: &[f64]| errors.iter().fold(0.0, |worst: f64, &error| if error.is_nan() { f64::NAN } else { worst.max(error) });
    Ok(Row {
        op: case.op,
        shape: case.shape.clone(),
        dtype,
        forward: errors[0],
        backward: worst(&errors[1..]),
        tolerance: epsilon * if dtype == DType::F32 { 32.0 * (case.terms as f64).sqrt() } else { 4.0 },
    })
}

/// The op's value, then the gradients of its product with fixed weights.
fn value_and_gradients(op: &Op, inputs: &[Tensor], rounding: DType) -> Result<Vec<Tensor>> {
    let vars: Vec<Var> = inputs.iter().map(|input| Ok(Var::from_tensor(input)?)).collect::<Result<_>>()?;
    let value = op(&vars.iter().map(Var::as_tensor).collect::<Vec<_>>())?;
    let weights = random(77, value.dims())?.to_dtype(rounding)?.to_dtype(value.dtype())?.to_device(value.device())?;
    let store = (&value * weights)?.sum_all()?.backward()?;
    let mut all = vec![value.detach()];
    for var in &vars {
        all.push(store.get(var).map_or_else(|| var.zeros_like(), |gradient| Ok(gradient.clone()))?);
    }
    Ok(all)
}

fn error(got: &Tensor, expected: &Tensor) -> Result<f64> {
    let flat = |tensor: &Tensor| tensor.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
    let (got, expected) = (flat(got)?, flat(expected)?);
    let scale = expected.iter().fold(1e-30, |largest: f64, value| largest.max(value.abs()));
    let off = got.iter().zip(&expected).map(|(got, expected)| (got - expected).abs() / scale);
    Ok(off.fold(0.0, |worst, off| if off > worst || off.is_nan() { off } else { worst }))
}

/// Runs `body` with CPU tensors on the CPU's own code.
fn on_host<R>(body: impl FnOnce() -> R) -> R {
    #[cfg(feature = "emulate")]
    return crate::emulate::suspended(body);
    #[cfg(not(feature = "emulate"))]
    body()
}

/// Single nodes, tiles filled to the last row and one beyond, and one sample of 181.
const LAYOUTS: [&[usize]; 6] = [&[1], &[5, 1], &[3, 1, 18, 2], &[32, 33, 1], &[64, 31], &[181, 7]];

fn cases() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for sizes in LAYOUTS {
        let layout = Ragged::from_sizes(sizes)?;
        of_positions(&mut cases, &layout)?;
        for width in [1, 33, 64] {
            of_channels(&mut cases, &layout, width)?;
        }
        for (heads, width) in [(1, 1), (2, 27), (1, 64), (1, 80)] {
            let inputs = vec![random(1, &[layout.nodes(), 3 * heads * width])?];
            let own = layout.clone();
            push(&mut cases, "ragged_attention", &layout, heads * width, inputs, move |x| crate::ragged_attention(x[0], heads, &own));
        }
    }
    Ok(cases)
}

fn of_positions(cases: &mut Vec<Case>, layout: &Ragged) -> Result<()> {
    let (nodes, samples) = (layout.nodes(), layout.len());
    let turned = |inverse| {
        let own = layout.clone();
        move |x: &[&Tensor]| crate::rotate(x[0], x[1], &own, inverse)
    };
    let inputs = || Ok::<_, crate::Error>(vec![random(1, &[nodes, 3])?, random(2, &[samples, 3, 3])?]);
    push(cases, "rotate", layout, 3, inputs()?, turned(false));
    push(cases, "rotate", layout, 3, inputs()?, turned(true));
    for by in [By::Columns, By::Rows] {
        // Near the identity: well-conditioned, so that rounding of the input is all there is.
        let a = (random(3, &[samples, 3, 3])? * 0.2)?.broadcast_add(&Tensor::eye(3, DType::F64, &Device::Cpu)?)?;
        push(cases, "gram_schmidt3", layout, 3, vec![a], move |x| crate::gram_schmidt3(x[0], by));
    }
    for count in [1, 40] {
        let inputs = vec![random(4, &[nodes, 3])?, (random(5, &[count])?.abs()? + 0.5)?, (random(6, &[count])?.abs()? + 0.7)?];
        let own = layout.clone();
        push(cases, "pair_gaussian_mean", layout, count, inputs, move |x| crate::pair_gaussian_mean(x[0], x[1], x[2], &own));
    }
    Ok(())
}

fn of_channels(cases: &mut Vec<Case>, layout: &Ragged, width: usize) -> Result<()> {
    let (nodes, samples) = (layout.nodes(), layout.len());
    let x = || random(1, &[nodes, width]);
    let own = || layout.clone();
    let (a, b, c, d) = (own(), own(), own(), own());
    push(cases, "segment_sum", layout, width, vec![x()?], move |x| crate::segment_sum(x[0], &a));
    push(cases, "segment_mean", layout, width, vec![x()?], move |x| crate::segment_mean(x[0], &b));
    push(cases, "centre", layout, width, vec![x()?], move |x| crate::centre(x[0], &c));
    push(cases, "spread", layout, width, vec![random(2, &[samples, width])?], move |x| crate::spread(x[0], &d));
    push(cases, "silu", layout, width, vec![x()?], |x| crate::silu(x[0]));
    push(cases, "swiglu", layout, width, vec![random(1, &[nodes, 2 * width])?], |x| crate::swiglu(x[0]));
    for rows in [1, samples] {
        let (a, b) = (own(), own());
        let modulation = random(2, &[rows, 4 * width])?;
        let gated = vec![x()?, random(3, &[nodes, width])?, modulation.clone()];
        push(cases, "gated_residual", layout, width, gated, move |x| crate::gated_residual(x[0], x[1], x[2], width, &a));
        let columns = Columns { shift: 0, scale: 2 * width };
        // A row of one channel is all mean: its normalised value is rounding.
        if width > 1 {
            push(cases, "ada_layer_norm", layout, width, vec![x()?, modulation], move |x| crate::ada_layer_norm(x[0], x[1], columns, &b));
        }
    }
    Ok(())
}

fn push(
    cases: &mut Vec<Case>,
    op: &'static str,
    layout: &Ragged,
    width: usize,
    inputs: Vec<Tensor>,
    body: impl Fn(&[&Tensor]) -> Result<Tensor> + 'static,
) {
    let shape = format!("{:?} x {width}", layout.sizes().collect::<Vec<_>>());
    cases.push(Case { op, shape, inputs, body: Box::new(body), terms: layout.nodes().max(width) });
}

/// Numbers that look standard normal, the same for the same seed: sums of twelve draws of a linear congruential generator.
fn random(seed: u64, shape: &[usize]) -> Result<Tensor> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    let values: Vec<f64> = (0..shape.iter().product()).map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0).collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}
