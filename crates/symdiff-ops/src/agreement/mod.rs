//! Kernels against the CPU: every op, forward and backward, on shapes that find mistakes.
//!
//! The inputs are rounded to the kernels' storage type first; the CPU computes on the rounded numbers in f64, so what remains is the
//! kernels' own error. Errors are relative to the largest entry of each tensor.

mod cases;

use crate::Result;
use candle_core::{DType, Device, Tensor, Var};
use cases::{Case, Op, random};

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

/// Compares the kernels on `device` with the CPU in f64, for f32 and bf16 storage. `seen` is called with each row as soon as it is there.
///
/// # Errors
/// When an op fails on either side.
pub fn compare(device: &Device, mut seen: impl FnMut(&Row)) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for case in cases::all()? {
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
