//! Products by cuBLASLt in the dtype of the activations; parameters are rounded to it, and their gradients are f32.

use super::OP;
use crate::gpu::blas::{Operand, product, product_and_sums};
use crate::{Error, Result, columns};
use candle_core::{DType, Tensor};

pub(super) fn times(x: &Tensor, weight: &Tensor, transposed: bool, bias: Option<&Tensor>) -> Result<Tensor> {
    let dtype = x.dtype();
    let (weight, bias) = (weight.to_dtype(dtype)?, bias.map(|bias| bias.to_dtype(dtype)).transpose()?);
    let right = if transposed { Operand::transposed(&weight) } else { Operand::plain(&weight) };
    product(OP, Operand::plain(x), right, bias.as_ref(), dtype)
}

/// One product per part; a batch on a device is one part.
pub(super) fn backward_parameters(parts: &[[&Tensor; 2]]) -> Result<[Tensor; 2]> {
    let mut each = parts.iter().map(|[x, gradient]| product_and_sums(OP, gradient, x));
    let first = each.next().ok_or_else(|| Error::Layout("no parts; give at least one".into()))??;
    each.try_fold(first, |[weight, bias], part: Result<_>| {
        let [more_weight, more_bias] = part?;
        Ok([(weight + more_weight)?, (bias + more_bias)?])
    })
}

/// All maps as one: its weights one below the other, its gradients side by side.
pub(super) fn backward_fan(x: &Tensor, weights: &[&Tensor], gradients: &[Tensor]) -> Result<(Tensor, Vec<[Tensor; 2]>)> {
    let rows = weights.iter().map(|weight| Ok(weight.to_dtype(x.dtype())?.flatten_all()?.unsqueeze(0)?)).collect::<Result<Vec<_>>>()?;
    let weight = columns::joined(&rows.iter().collect::<Vec<_>>())?.reshape(((), x.dims()[1]))?;
    let gradient = columns::joined(&gradients.iter().collect::<Vec<_>>())?;
    let of_x = product(OP, Operand::plain(&gradient), Operand::plain(&weight), None, x.dtype())?;
    let [of_weight, of_bias] = backward_parameters(&[[x, &gradient]])?;
    let mut first = 0;
    let of_maps = gradients.iter().map(|gradient| {
        let outputs = gradient.dims()[1];
        let parts = [of_weight.narrow(0, first, outputs)?, of_bias.narrow(0, first, outputs)?];
        first += outputs;
        Ok(parts)
    });
    Ok((of_x, of_maps.collect::<Result<_>>()?))
}

/// ∂/∂W: gᵀ·x, `[O, I]`, in f32.
pub(crate) fn backward_weight(x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    product(OP, Operand::transposed(gradient), Operand::plain(x), None, DType::F32)
}
