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
use crate::{Pullback, Result, fused, shape};
use candle_core::{DType, Device, Tensor};

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
            let dtype = weight.dtype();
            let mut gradients = vec![Some(backward_input(gradient, &weight)?), Some(backward_weight(&x, gradient)?.to_dtype(dtype)?)];
            if biased {
                gradients.push(Some(backward_bias(gradient)?.to_dtype(dtype)?));
            }
            Ok(gradients)
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

/// ∂/∂W: gᵀ·x, `[O, I]`, in f32 where g is bf16.
///
/// # Errors
/// When shapes do not belong together.
pub fn backward_weight(x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let ([n, i], [_, o]) = (matrix(x, "x", "[N, I]")?, matrix(gradient, "gradient", "[N, O]")?);
    match x.device() {
        #[cfg(kernels)]
        device if gpu::serves(device) => cuda::backward_weight(x, gradient),
        Device::Cpu => with_real!(OP, x, T => cpu::backward_weight::<T>(x, gradient, [n, i, o])),
        device => Err(elsewhere(OP, device)),
    }
}

/// ∂/∂b: the column sums of g, `[O]`, in f32 where g is bf16.
///
/// # Errors
/// When shapes do not belong together.
pub fn backward_bias(gradient: &Tensor) -> Result<Tensor> {
    let [_, o] = matrix(gradient, "gradient", "[N, O]")?;
    match gradient.device() {
        #[cfg(kernels)]
        device if gpu::serves(device) => cuda::backward_bias(gradient),
        Device::Cpu => with_real!(OP, gradient, T => cpu::backward_bias::<T>(gradient, o)),
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
