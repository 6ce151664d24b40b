//! Products by cuBLASLt in the dtype of the activations; parameters are rounded to it, and their gradients are f32.

use super::OP;
use crate::Result;
use crate::gpu::column_sums::column_sums;
use crate::gpu::product::{Factor, product};
use candle_core::{DType, Tensor};

pub(super) fn forward(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let dtype = x.dtype();
    let bias = bias.map(|bias| bias.to_dtype(dtype)).transpose()?;
    product(OP, Factor::plain(x), Factor::transposed(&weight.to_dtype(dtype)?), bias.as_ref(), dtype)
}

pub(super) fn backward_input(gradient: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let dtype = gradient.dtype();
    product(OP, Factor::plain(gradient), Factor::plain(&weight.to_dtype(dtype)?), None, dtype)
}

pub(super) fn backward_weight(x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    product(OP, Factor::transposed(gradient), Factor::plain(x), None, DType::F32)
}

pub(super) fn backward_bias(gradient: &Tensor) -> Result<Tensor> {
    column_sums(OP, gradient, DType::F32)
}
