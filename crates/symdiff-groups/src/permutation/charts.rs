//! Permutations from scores.

use super::{Degree, Permutations, Symmetric, sorting};
use crate::{Chart, Error, Result};
use candle_core::Tensor;

/// The permutation g for which g⁻¹·x has its scores in rising order: place j of the sorted state is node g(j).
///
/// Raw scores are `[B, n]`, or `[N, 1]` for a ragged batch. Left-equivariant: permuted scores give the permuted element (where no two
/// scores tie). It has no derivative, so tracked scores are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Argsort;

impl Chart<Symmetric> for Argsort {
    fn project(&self, group: &Symmetric, raw: &Tensor) -> Result<Permutations> {
        let what = "sorting chart of S_n";
        let (sizes, expected) = match &group.0 {
            Degree::Uniform(n) => (vec![*n; raw.dims().first().copied().unwrap_or_default()], format!("[B, {n}]")),
            Degree::Ragged(layout) => (layout.sizes().collect(), format!("[{}, 1], one score a node", layout.nodes())),
        };
        if raw.rank() != 2 || raw.elem_count() != sizes.iter().sum::<usize>() {
            return Err(Error::Shape { what, got: raw.dims().to_vec(), expected });
        }
        sorting(what, raw, sizes)
    }
}
