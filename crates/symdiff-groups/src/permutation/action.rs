//! Permutations of themselves, of sets, clouds and graphs: node i goes to place g(i).

use super::{Permutations, Symmetric};
use crate::rows::{gathered, one_each};
use crate::{Action, Cloud, Dense, Error, Field, Graph, Points, Result, Set};
use candle_core::Tensor;
use symdiff_ops::Ragged;

/// (g·h)(i) = g(h(i)).
impl Action<Symmetric> for Permutations {
    fn act(&self, _: &Symmetric, g: &Permutations) -> Result<Self> {
        if g.offsets() != self.offsets() {
            return Err(Error::Batch { what: "product of permutations", elements: g.len(), samples: self.len() });
        }
        Ok(Self::of(g.each().zip(self.each()).map(|(g, h)| h.iter().map(|&i| g[i as usize]).collect())))
    }
}

impl Action<Symmetric> for Set {
    fn act(&self, _: &Symmetric, g: &Permutations) -> Result<Self> {
        Self::new(nodes_moved(self.tensor(), &[1], g)?)
    }
}

impl Action<Symmetric> for Cloud {
    fn act(&self, _: &Symmetric, g: &Permutations) -> Result<Self> {
        Self::new(nodes_moved(self.tensor(), &[1], g)?)
    }
}

/// Both ends of every edge move.
impl Action<Symmetric> for Graph {
    fn act(&self, _: &Symmetric, g: &Permutations) -> Result<Self> {
        Self::new(nodes_moved(self.nodes(), &[1], g)?, nodes_moved(self.edges(), &[1, 2], g)?)
    }
}

impl Action<Symmetric> for Points {
    fn act(&self, _: &Symmetric, g: &Permutations) -> Result<Self> {
        Self::new(rows_moved(self.positions(), self.layout(), g)?, self.layout().clone())
    }
}

impl Action<Symmetric> for Field {
    fn act(&self, _: &Symmetric, g: &Permutations) -> Result<Self> {
        Ok(self.with_values(rows_moved(self.values(), self.layout(), g)?))
    }
}

/// The given axes of a dense tensor `[B, …]`, permuted sample by sample.
fn nodes_moved(x: &Tensor, axes: &[usize], g: &Permutations) -> Result<Tensor> {
    let what = "permutation of nodes";
    one_each(what, g.len(), x.dims()[0])?;
    for &axis in axes {
        let n = x.dims()[axis];
        if g.each().any(|images| images.len() != n) {
            return Err(Error::Shape { what, got: x.dims().to_vec(), expected: format!("axis {axis} as long as the permutations") });
        }
    }
    let sources = g.sources();
    axes.iter().try_fold(x.clone(), |x, &axis| gathered(&x, axis, &sources))
}

/// The rows of a ragged tensor `[N, …]`, permuted within each sample.
fn rows_moved(x: &Tensor, layout: &Ragged, g: &Permutations) -> Result<Tensor> {
    let what = "permutation of nodes";
    one_each(what, g.len(), layout.len())?;
    if g.offsets() != layout.offsets() {
        return Err(Error::Shape { what, got: layout.sizes().collect(), expected: "samples as large as the permutations".into() });
    }
    let rows = g.sources().into_iter().zip(layout.owners()).map(|(source, &owner)| layout.offsets()[owner as usize] as u32 + source);
    Ok(x.index_select(&Tensor::from_iter(rows, x.device())?, 0)?)
}
