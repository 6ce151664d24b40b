//! O(n) and SO(n) on themselves.

use super::{Matrices, MatrixGroup};
use crate::{Action, Result};

/// Left translation: g·h.
impl<G: MatrixGroup> Action<G> for Matrices {
    fn act(&self, _: &G, g: &Matrices) -> Result<Self> {
        g.product(self)
    }
}
