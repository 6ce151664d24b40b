//! The affine map y = x·Wᵀ + b, with PyTorch's weight layout.
//!
//! # Shapes
//! x `[N, I]`, W `[O, I]`, b `[O]` → y `[N, O]`.
//!
//! On CUDA x may be narrower than the parameters, bf16 to their f32: they are rounded for the product, which sums in f32, and their
//! gradients are f32.
//!
//! # Cost
//! 2·N·I·O operations forward, twice that backward. The bias is what the product is added to, so it costs one write; its
//! gradient is the column sum of the output's.

mod cpu;
#[cfg(kernels)]
mod cuda;

#[cfg(kernels)]
use crate::gpu;
use crate::host::{elsewhere, with_real};
use crate::{Error, Pullback, Result, fused, shape};
use candle_core::{DType, Device, Tensor};
#[cfg(kernels)]
pub(crate) use cuda::backward_weight;

const OP: &str = "linear";

/// y = x·Wᵀ + b, differentiable in all three.
///
/// # Errors
/// [`Error::Shape`] when the shapes do not belong together.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let inputs: Vec<&Tensor> = [x, weight].into_iter().chain(bias).collect();
    fused(OP, &inputs, |inputs| {
        let (x, weight, biased) = (inputs[0].clone(), inputs[1].clone(), inputs.len() == 3);
        let y = forward(&x, &weight, inputs.get(2))?;
        let pullback: Pullback = Box::new(move |gradient| {
            let parameters = backward_parameters(&[[&x, gradient]])?;
            let [d_weight, d_bias] = parameters.map(|parameter| parameter.to_dtype(weight.dtype()));
            let gradients = [backward_input(gradient, &weight)?, d_weight?, d_bias?];
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
    match x.device() {
        #[cfg(kernels)]
        device if gpu::serves(device) => cuda::forward(x, weight, bias),
        Device::Cpu => with_real!(OP, x, T => cpu::forward::<T>(x, weight, bias, [n, i, o])),
        device => Err(elsewhere(OP, device)),
    }
}

/// ∂/∂x: g·W, `[N, I]`.
///
/// # Errors
/// When shapes do not belong together.
pub fn backward_input(gradient: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let ([n, o], [_, i]) = (matrix(gradient, "gradient", "[N, O]")?, matrix(weight, "weight", "[O, I]")?);
    match gradient.device() {
        #[cfg(kernels)]
        device if gpu::serves(device) => cuda::backward_input(gradient, weight),
        Device::Cpu => with_real!(OP, gradient, T => cpu::backward_input::<T>(gradient, weight, [n, i, o])),
        device => Err(elsewhere(OP, device)),
    }
}

/// ∂/∂W `[O, I]` and ∂/∂b `[O]`, summed over parts of a batch: Σ gᵀ·x and the column sums of all g, in f32 where g is bf16. A part is
/// x `[n, I]` with g `[n, O]`; there is at least one.
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
        #[cfg(kernels)]
        device if gpu::serves(device) => cuda::backward_parameters(parts),
        Device::Cpu => with_real!(OP, x, T => cpu::backward_parameters::<T>(parts, [i, o])),
        device => Err(elsewhere(OP, device)),
    }
}

/// Parameters in the dtype of the activations that they meet, for several products: on CUDA in one launch.
///
/// # Errors
/// When the device refuses.
pub fn rounded(parameters: &[Tensor], dtype: DType) -> Result<Vec<Tensor>> {
    #[cfg(kernels)]
    if dtype == DType::BF16 && parameters.iter().all(|parameter| gpu::serves(parameter.device()) && parameter.dtype() == DType::F32) {
        return gpu::rounded::rounded(OP, parameters);
    }
    Ok(parameters.iter().map(|parameter| parameter.to_dtype(dtype)).collect::<candle_core::Result<_>>()?)
}

fn matrix(tensor: &Tensor, what: &'static str, expected: &str) -> Result<[usize; 2]> {
    shape::matrix(OP, what, tensor, expected)
}
