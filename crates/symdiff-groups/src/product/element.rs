//! A batch of pairs.

use crate::{Action, Group, Observe, Product, Result};

/// One element of A × B per sample.
#[derive(Debug)]
pub struct Pair<A: Group, B: Group>(A::Element, B::Element);

impl<A: Group, B: Group> Pair<A, B> {
    /// The element of A.
    pub fn first(&self) -> &A::Element {
        &self.0
    }

    /// The element of B.
    pub fn second(&self) -> &B::Element {
        &self.1
    }

    pub(super) fn of(first: A::Element, second: B::Element) -> Self {
        Self(first, second)
    }
}

impl<A: Group, B: Group> Product<A, B> {
    /// The pair of two elements.
    pub fn element(&self, first: A::Element, second: B::Element) -> Pair<A, B> {
        Pair(first, second)
    }
}

impl<A: Group, B: Group> Clone for Pair<A, B> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), self.1.clone())
    }
}

/// Each factor on its own.
impl<A: Group, B: Group> Action<Product<A, B>> for Pair<A, B> {
    fn act(&self, group: &Product<A, B>, g: &Self) -> Result<Self> {
        Ok(Self(self.0.act(&group.0, &g.0)?, self.1.act(&group.1, &g.1)?))
    }
}

/// The numbers of the first, then of the second.
impl<A: Group<Element: Observe>, B: Group<Element: Observe>> Observe for Pair<A, B> {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        Ok(self.0.observe()?.into_iter().zip(self.1.observe()?).map(|(a, b)| [a, b].concat()).collect())
    }
}
