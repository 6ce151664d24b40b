//! Pairs and triples of states move part by part; nothing stays as it is.

use crate::{Action, Group, Observe, Result};

/// No condition, no label: nothing to move.
impl<G: Group> Action<G> for () {
    fn act(&self, _: &G, _: &G::Element) -> Result<Self> {
        Ok(())
    }
}

macro_rules! tuple {
    ($($part:ident $at:tt),+) => {
        impl<G: Group, $($part: Action<G>),+> Action<G> for ($($part,)+) {
            fn act(&self, group: &G, g: &G::Element) -> Result<Self> {
                Ok(($(self.$at.act(group, g)?,)+))
            }
        }

        impl<$($part: Observe),+> Observe for ($($part,)+) {
            fn observe(&self) -> Result<Vec<Vec<f64>>> {
                let mut parts = [$(self.$at.observe()?),+].into_iter();
                let first = parts.next().unwrap_or_default();
                Ok(parts.fold(first, |all, part| all.into_iter().zip(part).map(|(a, b)| [a, b].concat()).collect()))
            }
        }
    };
}
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
