//! Candle modules as kernels.

use crate::{MarkovKernel, Result};
use candle_core::{Module, Tensor};
use std::marker::PhantomData;
use symdiff_groups::Dense;
use symdiff_ops::Noise;

/// A Candle module as a deterministic kernel from dense states X to dense states Y, by default the same: it sees and returns plain tensors.
///
/// `Network::<_, Cloud>::new(module)` maps clouds to clouds, `Network::<_, Cloud, Vectors>::new(module)` clouds to one vector each.
#[derive(Clone, Debug)]
pub struct Network<M, X, Y = X> {
    module: M,
    states: PhantomData<fn(&X) -> Y>,
}

impl<M, X, Y> Network<M, X, Y> {
    /// `module`, whose input is the tensor of an X and whose output that of a Y.
    pub fn new(module: M) -> Self {
        Self { module, states: PhantomData }
    }

    /// The module.
    pub fn module(&self) -> &M {
        &self.module
    }
}

impl<X: Dense, Y: Dense, M: Module> MarkovKernel<X> for Network<M, X, Y> {
    type Out = Y;

    fn sample(&self, x: &X, _: Noise) -> Result<Y> {
        Ok(Y::new(self.module.forward(x.tensor())?)?)
    }
}

/// A Candle module on dense states X whose output stays a plain tensor, to be read in a chart: `Raw::<_, Cloud>::new(module)`.
#[derive(Clone, Debug)]
pub struct Raw<M, X> {
    module: M,
    state: PhantomData<fn(&X)>,
}

impl<M, X> Raw<M, X> {
    /// `module`, whose input is the tensor of an X.
    pub fn new(module: M) -> Self {
        Self { module, state: PhantomData }
    }

    /// The module.
    pub fn module(&self) -> &M {
        &self.module
    }
}

impl<X: Dense, M: Module> MarkovKernel<X> for Raw<M, X> {
    type Out = Tensor;

    fn sample(&self, x: &X, _: Noise) -> Result<Tensor> {
        Ok(self.module.forward(x.tensor())?)
    }
}
