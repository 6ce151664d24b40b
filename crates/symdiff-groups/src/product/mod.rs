//! Direct products A × B, whose factors act one after the other and commute.

mod element;
mod haar;
mod lie;

pub use element::Pair;

use crate::{Group, MetricGroup, Result};
use candle_core::Tensor;
use symdiff_ops::Batched;

/// A × B. Three factors nest. A state acts under it through [`crate::act_in_turn!`], provided that the two actions commute, as rotations and
/// permutations of points do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product<A, B>(pub A, pub B);

impl<A: Group, B: Group> Group for Product<A, B> {
    type Element = Pair<A, B>;

    fn inverse(&self, g: &Pair<A, B>) -> Result<Pair<A, B>> {
        Ok(Pair::of(self.0.inverse(g.first())?, self.1.inverse(g.second())?))
    }

    fn identity(&self, like: &impl Batched) -> Result<Pair<A, B>> {
        Ok(Pair::of(self.0.identity(like)?, self.1.identity(like)?))
    }
}

/// The sum of the factors' distances.
impl<A: MetricGroup, B: MetricGroup> MetricGroup for Product<A, B> {
    fn distance(&self, g: &Pair<A, B>, h: &Pair<A, B>) -> Result<Tensor> {
        let (a, b) = (self.0.distance(g.first(), h.first())?, self.1.distance(g.second(), h.second())?);
        Ok((&a + b.to_dtype(a.dtype())?.to_device(a.device())?)?)
    }
}
