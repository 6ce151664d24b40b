//! What the backward pass of a branch of a block gives.

use candle_core::Tensor;

/// The gradients of a branch, attention or feedforward.
pub(super) struct BranchGradients {
    /// Of its input, `[N, D]`.
    pub(super) x: Tensor,
    /// Of its shift and scale, `[B|1, 2D]`, and of its gate, `[B|1, D]`.
    pub(super) modulation: [Tensor; 2],
    /// The input of each of its maps, and the gradient of that map's output.
    pub(super) maps: [[Tensor; 2]; 2],
}
