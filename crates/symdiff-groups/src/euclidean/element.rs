//! A batch of motions.

use crate::rows::one_each;
use crate::{EuclideanGroup, Matrices, MatrixGroup, Observe, Result, Shifts};

/// One motion x ↦ R·x + t per sample.
#[derive(Clone, Debug)]
pub struct Motions {
    linear: Matrices,
    shift: Shifts,
}

impl Motions {
    /// R, `[B, n, n]`.
    pub fn linear(&self) -> &Matrices {
        &self.linear
    }

    /// t, `[B, n]`.
    pub fn shift(&self) -> &Shifts {
        &self.shift
    }

    pub(super) fn trusted(linear: Matrices, shift: Shifts) -> Self {
        Self { linear, shift }
    }
}

impl<L: MatrixGroup> EuclideanGroup<L> {
    /// The motions that turn by `linear` and then shift by `shift`.
    ///
    /// # Errors
    /// When the batches differ.
    pub fn element(&self, linear: Matrices, shift: Shifts) -> Result<Motions> {
        one_each("motion", linear.len(), shift.len())?;
        Ok(Motions { linear, shift })
    }
}

/// R row by row, then t.
impl Observe for Motions {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        Ok(self.linear.observe()?.into_iter().zip(self.shift.observe()?).map(|(r, t)| [r, t].concat()).collect())
    }
}
