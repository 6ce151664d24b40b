//! The bound that makes a symmetrised kernel trainable.

use crate::{Error, MarkovKernel, Result};
use candle_core::Tensor;
use symdiff_ops::Noise;

/// (1/m)·Σ ℓ(yⱼ) over m draws yⱼ ~ k(· | x), `[B]`: an unbiased estimate of E ℓ(y).
///
/// For convex ℓ this bounds the loss of the mean prediction from above, E ℓ(y) ≥ ℓ(E y) (Jensen). A symmetrised denoiser has its mean E y as
/// equivariant prediction, which no finite number of draws gives exactly; its bound needs one draw, and its gradient reaches γ and k.
/// The loss of [`crate::MeanOf`] m draws lies in between and falls to ℓ(E y) as m grows.
///
/// # Errors
/// With no draws, or any error of kernel and loss.
///
/// # Source
/// Zhang et al., arXiv 2410.06262, section 3.3.
pub fn jensen_bound<X, K: MarkovKernel<X>>(
    kernel: &K,
    x: &X,
    draws: usize,
    noise: Noise,
    loss: impl Fn(&K::Out) -> Result<Tensor>,
) -> Result<Tensor> {
    let mut total: Option<Tensor> = None;
    for noise in noise.repeats(draws) {
        let value = loss(&kernel.sample(x, noise)?)?;
        total = Some(match total {
            Some(sum) => (sum + value)?,
            None => value,
        });
    }
    let total = total.ok_or(Error::Draws { what: "Jensen bound", got: 0, needed: 1 })?;
    Ok((total / draws as f64)?)
}
