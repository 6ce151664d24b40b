//! Charts onto O(n) and SO(n), each with its equivariance.
//!
//! | chart | raw | onto | f(g·A) = | notes |
//! |---|---|---|---|---|
//! | [`GramSchmidt::columns`] | `[B, n, n]` | O(n), SO(n) | g·f(A) | default |
//! | [`GramSchmidt::rows`] | `[B, n, n]` | O(n), SO(n) | f(A·g) = f(A)·g | the other convention |
//! | [`SixD`] | `[B, 6]` | SO(3) | g·f(A) on both columns | continuous, onto, nothing wasted |
//! | [`Quaternion`] | `[B, 4]` | SO(3) | (unit quaternion times raw) | two raw quaternions for one rotation |
//! | [`Polar`] | `[B, n, n]` | O(n), SO(2), SO(3) | g·f(A) and f(A·g) = f(A)·g | the nearest element |

mod gram_schmidt;
mod polar;
mod quaternion;
mod six_d;

pub use gram_schmidt::GramSchmidt;
pub use polar::Polar;
pub use quaternion::Quaternion;
pub(super) use quaternion::{outer_of, rotation_of};
pub use six_d::SixD;

use crate::{Error, Result};
use candle_core::Tensor;

/// Raw numbers as square matrices `[B, n, n]`.
fn square(what: &'static str, n: usize, raw: &Tensor) -> Result<Tensor> {
    match raw.dims() {
        &[_, r, c] if (r, c) == (n, n) => Ok(raw.clone()),
        &[b, flat] if flat == n * n => Ok(raw.reshape((b, n, n))?),
        got => Err(Error::Shape { what, got: got.to_vec(), expected: format!("[B, {n}, {n}] or [B, {}]", n * n) }),
    }
}
