//! Translations of themselves and of points; vectors, fields and rotations do not move.

use super::{Shifts, Translations};
use crate::rows::one_each;
use crate::{Action, Cloud, Dense, Field, Matrices, Points, Result, Vectors};
use symdiff_ops::spread;

impl Action<Translations> for Shifts {
    fn act(&self, _: &Translations, g: &Shifts) -> Result<Self> {
        Ok(Self::trusted((self.as_tensor() + g.as_tensor())?))
    }
}

impl Action<Translations> for Points {
    fn act(&self, _: &Translations, g: &Shifts) -> Result<Self> {
        one_each("translation of points", g.len(), self.layout().len())?;
        Self::new((self.positions() + spread(g.as_tensor(), self.layout())?)?, self.layout().clone())
    }
}

impl Action<Translations> for Cloud {
    fn act(&self, _: &Translations, g: &Shifts) -> Result<Self> {
        one_each("translation of a cloud", g.len(), self.tensor().dims()[0])?;
        Self::new(self.tensor().broadcast_add(&g.as_tensor().unsqueeze(1)?)?)
    }
}

macro_rules! stay {
    ($($state:ty),*) => {$(
        impl Action<Translations> for $state {
            fn act(&self, _: &Translations, _: &Shifts) -> Result<Self> {
                Ok(self.clone())
            }
        }
    )*};
}
stay!(Vectors, Field, Matrices);
