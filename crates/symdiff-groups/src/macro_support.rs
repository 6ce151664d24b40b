//! What the exported macros expand to, so that their users need to depend on this crate alone.

pub use crate::states::observed;
pub use candle_core::{DType, Device, Tensor};
pub use symdiff_ops::{Batched, Euclidean, Noise, Result as OpsResult, Samples};

use crate::states::scaled;

/// a·x + b·y, with one coefficient per sample.
pub fn combined(x: &Tensor, a: &Tensor, y: &Tensor, b: &Tensor) -> OpsResult<Tensor> {
    Ok((scaled(x, a)? + scaled(y, b)?)?)
}

/// Standard normals in the shape of x.
pub fn gaussian(x: &Tensor, noise: Noise) -> OpsResult<Tensor> {
    noise.normal(&x.samples(), &x.dims()[1..], x.dtype(), x.device())
}

/// The sum of squares of each sample, `[B]`.
pub fn squared_norms(x: &Tensor) -> OpsResult<Tensor> {
    Ok(x.sqr()?.flatten_from(1)?.sum(1)?)
}

/// How many numbers each sample has.
pub fn dimensions(x: &Tensor) -> Vec<usize> {
    vec![x.dims()[1..].iter().product(); x.dims()[0]]
}
