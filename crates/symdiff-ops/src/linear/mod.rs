//! The affine map y = x·Wᵀ + b, with PyTorch's weight layout.
//!
//! # Shapes
//! x `[N, I]`, W `[O, I]`, b `[O]` → y `[N, O]`.
//!
//! On CPUs, [`Products::Bf16`] rounds the operands of the product, and of those of its gradients, to bf16; sums, bias and results keep x's dtype.
//! On CUDA x itself may be narrower than the parameters, bf16 to their f32: they are rounded for the product, which sums in f32, and their
//! gradients are f32.
//!
//! # Cost
//! 2·N·I·O operations forward, twice that backward. The bias is where the product's sums start; its gradient is the column sum of the
//! output's.

mod cpu;
#[cfg(kernels)]
mod cuda;
mod laid_out;

use crate::dispatch::{elsewhere, untracked};
#[cfg(kernels)]
use crate::gpu;
use crate::host::with_real;
use crate::product::{Packed, Products};
use crate::{Error, Pullback, Result, fused, panel, shape};
use candle_core::{DType, Device, Tensor};
#[cfg(kernels)]
pub(crate) use cuda::backward_weight;
pub use laid_out::LaidOut;
pub(crate) use laid_out::within;
use std::sync::Arc;

const OP: &str = "linear";

/// y = x·Wᵀ + b, differentiable in all three.
///
/// # Errors
/// [`Error::Shape`] when the shapes do not belong together.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, products: Products) -> Result<Tensor> {
    let inputs: Vec<&Tensor> = [x, weight].into_iter().chain(bias).collect();
    let learned = weight.track_op();
    fused(OP, &inputs, |inputs| {
        let (x, weight, biased) = (inputs[0].clone(), inputs[1].clone(), inputs.len() == 3);
        let lay_out = if learned { Weight::forward } else { Weight::constant };
        let y = lay_out(&weight, products)?.times(&x, inputs.get(2))?;
        let pullback: Pullback = Box::new(move |gradient| {
            let parameters = backward_parameters(&[[&x, gradient]], products)?;
            let [d_weight, d_bias] = parameters.map(|parameter| parameter.to_dtype(weight.dtype()));
            let gradients = [backward_input(gradient, &weight, products)?, d_weight?, d_bias?];
            Ok(gradients.into_iter().take(if biased { 3 } else { 2 }).map(Some).collect())
        });
        Ok((y, pullback))
    })
}

/// y = x·Wᵀ + b without a graph.
///
/// # Errors
/// As [`linear()`].
pub fn forward(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, products: Products) -> Result<Tensor> {
    Weight::forward(weight, products)?.times(x, bias)
}

/// ∂/∂x: g·W, `[N, I]`.
///
/// # Errors
/// When shapes do not belong together.
pub fn backward_input(gradient: &Tensor, weight: &Tensor, products: Products) -> Result<Tensor> {
    Weight::backward(weight, products)?.times(gradient, None)
}

/// A weight as the right operand of products, for one direction: on the CPU a copy packed in the order in which products read it, which
/// several products may share; elsewhere the tensor itself. Clones share it too.
#[derive(Clone, Debug)]
pub struct Weight {
    operand: Arc<Operand>,
    /// The rows and columns of the operand.
    dims: [usize; 2],
}

#[derive(Debug)]
enum Operand {
    F32(Packed<f32>),
    F64(Packed<f64>),
    #[cfg(kernels)]
    Device {
        weight: Tensor,
        transposed: bool,
    },
}

impl Weight {
    /// Wᵀ of a weight `[O, I]`, for x·Wᵀ + b.
    ///
    /// # Errors
    /// [`Error::Shape`] unless it is a matrix.
    pub fn forward(weight: &Tensor, products: Products) -> Result<Self> {
        Self::new(weight, true, products)
    }

    /// W itself, for g·W, the gradient of what was multiplied by Wᵀ.
    ///
    /// # Errors
    /// As [`Weight::forward`].
    pub fn backward(weight: &Tensor, products: Products) -> Result<Self> {
        Self::new(weight, false, products)
    }

    fn new(weight: &Tensor, transposed: bool, products: Products) -> Result<Self> {
        untracked(OP, "weight", weight)?;
        let dims = matrix(weight, "weight", "[O, I]")?;
        let operand = match (weight.device(), weight.dtype()) {
            #[cfg(kernels)]
            (device, _) if gpu::serves(device) => {
                products.check_device(OP)?;
                Operand::Device { weight: weight.clone(), transposed }
            }
            (Device::Cpu, DType::F32) => Operand::F32(cpu::packed(weight, dims, transposed, products)?),
            (Device::Cpu, DType::F64) => Operand::F64(cpu::packed(weight, dims, transposed, products)?),
            (Device::Cpu, got) => return Err(Error::DType { op: OP, got }),
            (device, _) => return Err(elsewhere(OP, device)),
        };
        let [o, i] = dims;
        Ok(Self { operand: Arc::new(operand), dims: if transposed { [i, o] } else { [o, i] } })
    }

    /// x·operand + b: x `[N, rows]`, b `[columns]` → `[N, columns]`.
    ///
    /// # Errors
    /// [`Error::Shape`] when the shapes do not belong together.
    pub fn times(&self, x: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        let ([n, inner], [rows, columns]) = (matrix(x, "x", "[N, I]")?, self.dims);
        if inner != rows {
            return Err(shape::refused(OP, "x", x, format!("[{n}, {rows}], as wide as the weight's input")));
        }
        untracked(OP, "x", x)?;
        bias.map_or(Ok(()), |bias| untracked(OP, "bias", bias))?;
        if let Some(bias) = bias.filter(|bias| bias.dims() != [columns]) {
            return Err(shape::refused(OP, "bias", bias, format!("[{columns}], one entry per row of the weight")));
        }
        match &*self.operand {
            Operand::F32(weight) => in_op(|| cpu::times(x, weight, bias)),
            Operand::F64(weight) => in_op(|| cpu::times(x, weight, bias)),
            #[cfg(kernels)]
            Operand::Device { weight, transposed } => cuda::times(x, weight, *transposed, bias),
        }
    }
}

/// ∂/∂W `[O, I]` and ∂/∂b `[O]`, summed over parts of a batch: Σ gᵀ·x and the column sums of all g, in f32 where g is bf16. A part is
/// x `[n, I]` with g `[n, O]`; there is at least one.
///
/// # Errors
/// When shapes do not belong together.
pub fn backward_parameters(parts: &[[&Tensor; 2]], products: Products) -> Result<[Tensor; 2]> {
    let [x, g] = parts.first().ok_or_else(|| Error::Layout("no parts; give at least one".into()))?;
    let ([_, i], [_, o]) = (matrix(x, "x", "[N, I]")?, matrix(g, "gradient", "[N, O]")?);
    for [x, g] in parts {
        untracked(OP, "x", x)?;
        untracked(OP, "gradient", g)?;
        let [n, _] = matrix(x, "x", "[N, I]")?;
        shape::exact(OP, "x", x, &[n, i], "as wide as the other parts")?;
        shape::exact(OP, "gradient", g, &[n, o], "one row for each of x")?;
    }
    match x.device() {
        #[cfg(kernels)]
        device if gpu::serves(device) => {
            products.check_device(OP)?;
            cuda::backward_parameters(parts)
        }
        Device::Cpu => with_real!(OP, x, T => cpu::backward_parameters::<T>(parts, [i, o], products)),
        device => Err(elsewhere(OP, device)),
    }
}

/// The backward pass of several affine maps of the same x `[N, I]`, given their weights and the gradients `[N, O]` of their results: ∂/∂x,
/// summed, and for each map ∂/∂W and ∂/∂b. On a GPU all maps are one product.
///
/// # Errors
/// As [`backward_parameters`].
pub fn backward_fan(x: &Tensor, weights: &[&Tensor], gradients: &[Tensor], products: Products) -> Result<(Tensor, Vec<[Tensor; 2]>)> {
    let [_, inputs] = matrix(x, "x", "[N, I]")?;
    if weights.len() != gradients.len() {
        return Err(Error::Layout(format!("{} weights and {} gradients; give one for each map", weights.len(), gradients.len())));
    }
    untracked(OP, "x", x)?;
    for (weight, gradient) in weights.iter().zip(gradients) {
        untracked(OP, "weight", weight)?;
        untracked(OP, "gradient", gradient)?;
        let [_, outputs] = matrix(gradient, "gradient", "[N, O]")?;
        shape::exact(OP, "weight", weight, &[outputs, inputs], "one row for each column of its gradient")?;
    }
    #[cfg(kernels)]
    if gpu::serves(x.device()) && !weights.is_empty() {
        products.check_device(OP)?;
        return cuda::backward_fan(x, weights, gradients);
    }
    let maps = weights.iter().zip(gradients).collect();
    let each = panel::each(x.device(), maps, |(weight, gradient): (&&Tensor, &Tensor)| {
        Ok((backward_input(gradient, weight, products)?, backward_parameters(&[[x, gradient]], products)?))
    })?;
    let mut of_x = x.zeros_like()?;
    let mut of_maps = Vec::with_capacity(each.len());
    for (of_input, of_map) in each {
        of_x = (of_x + of_input)?;
        of_maps.push(of_map);
    }
    Ok((of_x, of_maps))
}

/// Runs a body in a span of this op.
fn in_op<R>(body: impl FnOnce() -> R) -> R {
    tracing::trace_span!("op").in_scope(body)
}

/// Parameters in the dtype of the activations that they meet, for several products: on CUDA in one launch.
///
/// # Errors
/// When the device refuses.
pub fn rounded(parameters: &[Tensor], dtype: DType) -> Result<Vec<Tensor>> {
    parameters.iter().try_for_each(|parameter| untracked(OP, "parameter", parameter))?;
    #[cfg(kernels)]
    if dtype == DType::BF16 && parameters.iter().all(|parameter| gpu::serves(parameter.device()) && parameter.dtype() == DType::F32) {
        return gpu::rounded::rounded(OP, parameters);
    }
    Ok(parameters.iter().map(|parameter| parameter.to_dtype(dtype)).collect::<candle_core::Result<_>>()?)
}

fn matrix(tensor: &Tensor, what: &'static str, expected: &str) -> Result<[usize; 2]> {
    shape::matrix(OP, what, tensor, expected)
}
