//! Dense states: one tensor, samples along its first axis, sizes the same for all.

use crate::rows::one_each;
use crate::{Action, Error, Matrices, MatrixGroup, Result};
use candle_core::Tensor;
use symdiff_ops::Batched;

/// A state that is one tensor `[B, …]` with a meaning. [`dense!`](crate::dense) declares one of your own in a line.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a dense state",
    label = "a state that is one tensor with a meaning is needed",
    note = "wrap a tensor by its meaning: `Cloud::new(tensor)` for points, `Vectors`, `Set`, `Sequence` or `Image`; `dense!` declares a state of your own in one line",
    note = "a network on a state that is not one tensor is a `Map` of a closure, or a type of yours that implements `MarkovKernel`"
)]
pub trait Dense: Batched + Sized {
    /// The state of this tensor.
    ///
    /// # Errors
    /// When the rank is not the state's.
    fn new(tensor: Tensor) -> Result<Self>;

    /// Its tensor.
    fn tensor(&self) -> &Tensor;
}

crate::dense! {
    /// One vector of ℝⁿ per sample, `[B, n]`.
    pub struct Vectors [B, n];
    /// m points of ℝⁿ per sample, `[B, m, n]`.
    pub struct Cloud [B, m, n];
    /// n members with C features per sample, `[B, n, C]`, in an order that means nothing.
    pub struct Set [B, n, C];
    /// L positions with C features per sample, `[B, L, C]`, the last followed by the first.
    pub struct Sequence [B, L, C];
    /// C channels of H × W pixels per sample, `[B, C, H, W]`, the first row on top.
    pub struct Image [B, C, H, W];
}

/// x ↦ R·x.
impl<G: MatrixGroup> Action<G> for Vectors {
    fn act(&self, _: &G, g: &Matrices) -> Result<Self> {
        Ok(Self(turned("rotation of vectors", &self.0.unsqueeze(1)?, g)?.squeeze(1)?))
    }
}

/// x ↦ R·x, that is x·Rᵀ for rows.
impl<G: MatrixGroup> Action<G> for Cloud {
    fn act(&self, _: &G, g: &Matrices) -> Result<Self> {
        Ok(Self(turned("rotation of a cloud", &self.0, g)?))
    }
}

/// Rows `[B, m, n]` times Rᵀ.
fn turned(what: &'static str, rows: &Tensor, g: &Matrices) -> Result<Tensor> {
    one_each(what, g.len(), rows.dims()[0])?;
    if rows.dims()[2] != g.n() {
        return Err(Error::Shape { what, got: rows.dims().to_vec(), expected: format!("vectors of {} coordinates", g.n()) });
    }
    Ok(rows.contiguous()?.matmul(&g.as_tensor().transpose(1, 2)?.contiguous()?)?)
}
