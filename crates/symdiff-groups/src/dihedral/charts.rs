//! Symmetries from logits.

use super::haar::nth;
use super::{Dihedral, Symmetries};
use crate::cyclic::{Argmax, largest};
use crate::{Chart, Result};
use candle_core::Tensor;

impl Chart<Dihedral> for Argmax {
    fn project(&self, group: &Dihedral, raw: &Tensor) -> Result<Symmetries> {
        let indices = largest("argmax chart of D_n", 2 * group.n() as usize, raw)?;
        Ok(Symmetries::of(*group, indices.into_iter().map(|index| nth(*group, index))))
    }
}
