//! Products by cuBLASLt in the dtype of the activations; parameters are rounded to it, and their gradients are f32.

use super::OP;
use crate::gpu::column_sums::column_sums;
use crate::gpu::product::{Factor, product};
use crate::{Error, Result};
use candle_core::{DType, Tensor};

pub(super) fn times(x: &Tensor, weight: &Tensor, transposed: bool, bias: Option<&Tensor>) -> Result<Tensor> {
    let dtype = x.dtype();
    let (weight, bias) = (weight.to_dtype(dtype)?, bias.map(|bias| bias.to_dtype(dtype)).transpose()?);
    let factor = if transposed { Factor::transposed(&weight) } else { Factor::plain(&weight) };
    product(OP, Factor::plain(x), factor, bias.as_ref(), dtype)
}

/// One product and one column sum a part; a batch on a device is one part.
pub(super) fn backward_parameters(parts: &[[&Tensor; 2]]) -> Result<[Tensor; 2]> {
    let mut each = parts.iter().map(|[x, gradient]| Ok([backward_weight(x, gradient)?, column_sums(OP, gradient, DType::F32)?]));
    let first = each.next().ok_or_else(|| Error::Layout("no parts; give at least one".into()))??;
    each.try_fold(first, |[weight, bias], part: Result<_>| {
        let [more_weight, more_bias] = part?;
        Ok([(weight + more_weight)?, (bias + more_bias)?])
    })
}

/// ∂/∂W: gᵀ·x, `[O, I]`, in f32.
pub(crate) fn backward_weight(x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    product(OP, Factor::transposed(gradient), Factor::plain(x), None, DType::F32)
}
