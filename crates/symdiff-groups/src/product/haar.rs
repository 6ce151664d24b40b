//! Independent draws of the factors.

use super::{Pair, Product};
use crate::{CompactGroup, FiniteGroup, Result};
use symdiff_ops::{Batched, Noise};

/// The first factor draws first.
impl<A: CompactGroup, B: CompactGroup> CompactGroup for Product<A, B> {
    fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Pair<A, B>> {
        let [first, second] = noise.split();
        Ok(Pair::of(self.0.haar(like, first)?, self.1.haar(like, second)?))
    }
}

impl<A: FiniteGroup, B: FiniteGroup> FiniteGroup for Product<A, B> {
    fn elements(&self, like: &impl Batched) -> Result<Vec<Pair<A, B>>> {
        let (first, second) = (self.0.elements(like)?, self.1.elements(like)?);
        Ok(first.iter().flat_map(|a| second.iter().map(|b| Pair::of(a.clone(), b.clone()))).collect())
    }
}
