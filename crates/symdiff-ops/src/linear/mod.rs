//! The affine map y = x·Wᵀ + b, with PyTorch's weight layout.
//!
//! # Shapes
//! x `[N, I]`, W `[O, I]`, b `[O]` → y `[N, O]`.
//!
//! # Cost
//! 2·N·I·O operations forward, twice that backward. The bias is what the product is added to, so it costs one write; its
//! gradient is the column sum of the output's.

mod cpu;

use crate::host::with_real;
use crate::{Error, Pullback, Result, fused, shape};
use candle_core::{Device, Tensor};

const OP: &str = "linear";

/// y = x·Wᵀ + b, differentiable in all three.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) when the shapes do not belong together.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let inputs: Vec<&Tensor> = [x, weight].into_iter().chain(bias).collect();
    fused(OP, &inputs, |inputs| {
        let (x, weight, biased) = (inputs[0].clone(), inputs[1].clone(), inputs.len() == 3);
        let y = forward(&x, &weight, inputs.get(2))?;
        let pullback: Pullback = Box::new(move |gradient| {
            let [d_weight, d_bias] = backward_parameters(&[[&x, gradient]])?;
            let gradients = [backward_input(gradient, &weight)?, d_weight, d_bias];
            Ok(gradients.into_iter().take(if biased { 3 } else { 2 }).map(Some).collect())
        });
        Ok((y, pullback))
    })
}

/// y = x·Wᵀ + b without a graph.
///
/// # Errors
/// As [`linear()`].
pub fn forward(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let ([n, i], [o, i2]) = (matrix(x, "x", "[N, I]")?, matrix(weight, "weight", "[O, I]")?);
    if i != i2 {
        return Err(shape::refused(OP, "weight", weight, format!("[O, {i}], as x is [{n}, {i}]")));
    }
    if let Some(bias) = bias.filter(|bias| bias.dims() != [o]) {
        return Err(shape::refused(OP, "bias", bias, format!("[{o}], one entry a row of the weight")));
    }
    if let Device::Cpu = x.device() {
        with_real!(OP, x, T => cpu::forward::<T>(x, weight, bias, [n, i, o]))
    } else {
        let y = x.matmul(&weight.t()?)?;
        Ok(bias.map_or(Ok(y.clone()), |bias| y.broadcast_add(bias))?)
    }
}

/// ∂/∂x: g·W, `[N, I]`.
///
/// # Errors
/// When shapes do not belong together.
pub fn backward_input(gradient: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let ([n, o], [_, i]) = (matrix(gradient, "gradient", "[N, O]")?, matrix(weight, "weight", "[O, I]")?);
    match gradient.device() {
        Device::Cpu => with_real!(OP, gradient, T => cpu::backward_input::<T>(gradient, weight, [n, i, o])),
        _ => Ok(gradient.matmul(weight)?),
    }
}

/// ∂/∂W `[O, I]` and ∂/∂b `[O]`, summed over parts of a batch: Σ gᵀ·x and the column sums of all g. A part is x `[n, I]` with
/// g `[n, O]`; there is at least one.
///
/// # Errors
/// When shapes do not belong together.
pub fn backward_parameters(parts: &[[&Tensor; 2]]) -> Result<[Tensor; 2]> {
    let [x, g] = parts.first().ok_or_else(|| Error::Layout("no parts; give at least one".into()))?;
    let ([_, i], [_, o]) = (matrix(x, "x", "[N, I]")?, matrix(g, "gradient", "[N, O]")?);
    for [x, g] in parts {
        let [n, _] = matrix(x, "x", "[N, I]")?;
        shape::exact(OP, "x", x, &[n, i], "as wide as the other parts")?;
        shape::exact(OP, "gradient", g, &[n, o], "one row for each of x")?;
    }
    match x.device() {
        Device::Cpu => with_real!(OP, x, T => cpu::backward_parameters::<T>(parts, [i, o])),
        _ => {
            let each = parts.iter().map(|[x, g]| Ok([g.t()?.matmul(x)?, column_sums(g)?])).collect::<Result<Vec<_>>>()?;
            let add = |[w, b]: [Tensor; 2], [dw, db]: [Tensor; 2]| -> Result<[Tensor; 2]> { Ok([(w + dw)?, (b + db)?]) };
            let mut each = each.into_iter();
            let first = each.next().ok_or_else(|| Error::Layout("no parts; give at least one".into()))?;
            each.try_fold(first, add)
        }
    }
}

fn column_sums(gradient: &Tensor) -> Result<Tensor> {
    match gradient.device() {
        #[cfg(kernels)]
        device if crate::gpu::serves(device) => crate::gpu::column_sums::column_sums(OP, gradient, gradient.dtype()),
        _ => Ok(gradient.sum(0)?),
    }
}

fn matrix(tensor: &Tensor, what: &'static str, expected: &str) -> Result<[usize; 2]> {
    shape::matrix(OP, what, tensor, expected)
}
