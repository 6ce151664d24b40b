//! Turns of themselves, of points of the plane, of images and of sequences.

use super::{Cyclic, Turns};
use crate::rows::{gathered, one_each};
use crate::states::grid;
use crate::{Action, Cloud, Dense, Error, Image, Points, Result, Sequence, SpecialOrthogonal, Subgroup, Vectors};

impl Action<Cyclic> for Turns {
    fn act(&self, group: &Cyclic, g: &Turns) -> Result<Self> {
        let what = "product of turns";
        group.owns(what, g)?;
        group.owns(what, self)?;
        one_each(what, g.len(), self.len())?;
        Ok(Self::of(*group, self.steps().iter().zip(g.steps()).map(|(a, b)| (a + b) % group.n())))
    }
}

/// Points, clouds and vectors of the plane turn by 2πk/n.
macro_rules! turns {
    ($($state:ty),*) => {$(
        impl Action<Cyclic> for $state {
            fn act(&self, group: &Cyclic, g: &Turns) -> Result<Self> {
                let so2 = SpecialOrthogonal::new(2);
                self.act(&so2, &group.embed(&so2, g, self)?)
            }
        }
    )*};
}
turns!(Points, Cloud, Vectors);

/// Quarter turns, counter-clockwise, exact; n must divide 4.
impl Action<Cyclic> for Image {
    fn act(&self, group: &Cyclic, g: &Turns) -> Result<Self> {
        let what = "turn of an image";
        group.owns(what, g)?;
        let quarters = grid::quarters(what, group.n())?;
        grid::moved(self, g.steps().iter().map(|&k| (k * quarters, false)))
    }
}

/// Shifts towards higher positions, cyclic: position i goes to i + k·L/n, for a length L that n divides.
impl Action<Cyclic> for Sequence {
    fn act(&self, group: &Cyclic, g: &Turns) -> Result<Self> {
        let what = "shift of a sequence";
        group.owns(what, g)?;
        let (b, length) = (self.tensor().dims()[0], self.tensor().dims()[1] as u32);
        one_each(what, g.len(), b)?;
        if !length.is_multiple_of(group.n()) {
            let expected = format!("[B, L, C] with L a multiple of {}", group.n());
            return Err(Error::Shape { what, got: self.tensor().dims().to_vec(), expected });
        }
        let step = length / group.n();
        let sources: Vec<u32> = g.steps().iter().flat_map(|&k| (0..length).map(move |i| (i + length - k * step) % length)).collect();
        Self::new(gathered(self.tensor(), 1, &sources)?)
    }
}
