//! Candle modules as kernels.

use crate::{MarkovKernel, Result};
use candle_core::{Module, Tensor};
use std::marker::PhantomData;
use symdiff_groups::Dense;
use symdiff_ops::Noise;

/// A Candle module as a deterministic kernel from a dense state to another: it sees and returns plain tensors.
#[derive(Clone, Debug)]
pub struct Network<M, Y> {
    module: M,
    out: PhantomData<fn() -> Y>,
}

impl<M, Y> Network<M, Y> {
    /// `module`, whose output is the tensor of a `Y`.
    pub fn new(module: M) -> Self {
        Self { module, out: PhantomData }
    }

    /// The module.
    pub fn module(&self) -> &M {
        &self.module
    }
}

impl<X: Dense, Y: Dense, M: Module> MarkovKernel<X> for Network<M, Y> {
    type Out = Y;

    fn sample(&self, x: &X, _: Noise) -> Result<Y> {
        Ok(Y::new(self.module.forward(x.tensor())?)?)
    }
}

/// A Candle module whose output stays a plain tensor, to be read in a chart.
#[derive(Clone, Debug)]
pub struct Raw<M>(pub M);

impl<X: Dense, M: Module> MarkovKernel<X> for Raw<M> {
    type Out = Tensor;

    fn sample(&self, x: &X, _: Noise) -> Result<Tensor> {
        Ok(self.0.forward(x.tensor())?)
    }
}
