//! Turns from logits.

use super::{Cyclic, Turns};
use crate::{Chart, Error, Result, untracked};
use candle_core::{D, Tensor};

/// The largest of n logits, `[B, n]`, or of 2n for a dihedral group (turns first, then mirrored turns).
///
/// Left-equivariant when the logits are indexed by the group (regular representation). It has no derivative, so tracked logits are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Argmax;

impl Chart<Cyclic> for Argmax {
    fn project(&self, group: &Cyclic, raw: &Tensor) -> Result<Turns> {
        Ok(Turns::of(*group, largest("argmax chart of C_n", group.n() as usize, raw)?))
    }
}

/// The index of each row's largest of `width` logits.
pub(crate) fn largest(what: &'static str, width: usize, logits: &Tensor) -> Result<Vec<u32>> {
    if logits.rank() != 2 || logits.dims()[1] != width {
        return Err(Error::Shape { what, got: logits.dims().to_vec(), expected: format!("[B, {width}]") });
    }
    Ok(untracked(what, logits)?.argmax(D::Minus1)?.to_vec1()?)
}
