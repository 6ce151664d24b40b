//! Motions of themselves and of points; vectors and fields only turn.

use super::{EuclideanGroup, Motions};
use crate::{Action, Cloud, Field, Matrices, MatrixGroup, Points, Result, Shifts, Vectors};

impl Shifts {
    /// R·t.
    pub(super) fn rotated(&self, by: &Matrices) -> Result<Self> {
        Ok(Self::trusted(by.as_tensor().broadcast_mul(&self.as_tensor().unsqueeze(1)?)?.sum(2)?))
    }
}

/// (R, t)·(S, u) = (R·S, R·u + t).
impl<L: MatrixGroup> Action<EuclideanGroup<L>> for Motions {
    fn act(&self, group: &EuclideanGroup<L>, g: &Motions) -> Result<Self> {
        let shift = self.shift().rotated(g.linear())?.act(&group.translations(), g.shift())?;
        Ok(Self::trusted(self.linear().act(group.linear(), g.linear())?, shift))
    }
}

macro_rules! move_fully {
    ($($state:ty),*) => {$(
        impl<L: MatrixGroup> Action<EuclideanGroup<L>> for $state {
            fn act(&self, group: &EuclideanGroup<L>, g: &Motions) -> Result<Self> {
                self.act(group.linear(), g.linear())?.act(&group.translations(), g.shift())
            }
        }
    )*};
}
move_fully!(Points, Cloud);

macro_rules! only_turn {
    ($($state:ty),*) => {$(
        impl<L: MatrixGroup> Action<EuclideanGroup<L>> for $state {
            fn act(&self, group: &EuclideanGroup<L>, g: &Motions) -> Result<Self> {
                self.act(group.linear(), g.linear())
            }
        }
    )*};
}
only_turn!(Vectors, Field);
