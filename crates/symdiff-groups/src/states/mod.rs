//! What groups act on.
//!
//! | state | tensor | groups |
//! |---|---|---|
//! | [`Points`] | ragged `[N, n]` | O(n), SO(n), T(n), E(n), SE(n), `S_n`; `C_n`, `D_n` in the plane |
//! | [`Field`] | ragged `[N, C, …]` | O(n), SO(n), E(n), SE(n), `S_n`; T(n) trivially |
//! | [`Cloud`] | `[B, m, n]` | as points |
//! | [`Vectors`] | `[B, n]` | O(n), SO(n), E(n), SE(n); `C_n`, `D_n` in the plane; T(n) trivially |
//! | [`Set`] | `[B, n, C]` | `S_n` |
//! | [`Graph`] | `[B, n, C]`, `[B, n, n, E]` | `S_n` |
//! | [`Sequence`] | `[B, L, C]` | `C_n` by shifts |
//! | [`Image`] | `[B, C, H, W]` | `C_4`, `D_4` and their subgroups, exactly |
//! | [`Fixed`] | any | every group, trivially |
//! | tuples | any | what acts on all parts |
//! | `()` | none | every group, trivially |
//!
//! Where O(n) and SO(n) act, every [`MatrixGroup`](crate::MatrixGroup) of your own does; products of two of these groups act wherever both
//! factors do. A dense state of your own takes one line: [`dense!`](crate::dense).

mod dense;
mod field;
mod fixed;
mod graph;
pub(crate) mod grid;
mod points;
mod tuples;

pub use dense::{Cloud, Dense, Image, Sequence, Set, Vectors};
pub use field::Field;
pub use fixed::Fixed;
pub use graph::Graph;
pub use points::Points;

use crate::Result;
use candle_core::{DType, Tensor};
use symdiff_ops::Ragged;

crate::act_in_turn!(Points, Field, Cloud, Vectors, Set, Graph, Sequence, Image);

/// The numbers of each sample of a tensor `[B, …]`.
///
/// # Errors
/// When the device refuses.
pub fn observed(tensor: &Tensor) -> Result<Vec<Vec<f64>>> {
    Ok(tensor.detach().to_dtype(DType::F64)?.reshape((tensor.dims()[0], ()))?.to_vec2()?)
}

/// The numbers of each sample of a ragged tensor `[N, …]`.
fn observed_rows(tensor: &Tensor, layout: &Ragged) -> Result<Vec<Vec<f64>>> {
    let rows = observed(tensor)?;
    Ok((0..layout.len()).map(|sample| rows[layout.rows(sample)].concat()).collect())
}

/// x `[B, …]` times one coefficient per sample, `[B]`.
pub(crate) fn scaled(x: &Tensor, by: &Tensor) -> symdiff_ops::Result<Tensor> {
    let mut shape = vec![1; x.rank()];
    shape[0] = by.elem_count();
    Ok(x.broadcast_mul(&by.reshape(shape)?)?)
}
