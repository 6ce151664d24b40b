//! Centres of mass: the equivariant map onto T(n).

use super::Shifts;
use crate::{Cloud, Dense, Points, Result};
use symdiff_ops::segment_mean;

/// A state with a centre that moves with it: centre(x + t) = centre(x) + t.
pub trait Centred {
    /// The centre of each sample, `[B, n]`.
    ///
    /// # Errors
    /// When the device refuses.
    fn centre(&self) -> Result<Shifts>;
}

/// The mean of each sample's points.
impl Centred for Points {
    fn centre(&self) -> Result<Shifts> {
        Ok(Shifts::trusted(segment_mean(self.positions(), self.layout())?))
    }
}

/// The mean of each sample's points.
impl Centred for Cloud {
    fn centre(&self) -> Result<Shifts> {
        Ok(Shifts::trusted(self.tensor().mean(1)?))
    }
}
