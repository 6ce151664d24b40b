//! Exponential and logarithm, factor by factor.

use super::{Pair, Product};
use crate::{Error, LieGroup, Result};
use candle_core::Tensor;

/// The velocity of A, then that of B.
impl<A: LieGroup, B: LieGroup> LieGroup for Product<A, B> {
    fn dimension(&self) -> usize {
        self.0.dimension() + self.1.dimension()
    }

    fn exp(&self, algebra: &Tensor) -> Result<Pair<A, B>> {
        if algebra.rank() != 2 || algebra.dims()[1] != self.dimension() {
            let (got, expected) = (algebra.dims().to_vec(), format!("[B, {}]", self.dimension()));
            return Err(Error::Shape { what: "exponential of a product", got, expected });
        }
        let (first, second) = (self.0.dimension(), self.1.dimension());
        Ok(Pair::of(self.0.exp(&algebra.narrow(1, 0, first)?)?, self.1.exp(&algebra.narrow(1, first, second)?)?))
    }

    fn log(&self, g: &Pair<A, B>) -> Result<Tensor> {
        Ok(Tensor::cat(&[self.0.log(g.first())?, self.1.log(g.second())?], 1)?)
    }
}
