//! `S_n`: the permutations of n nodes, one permutation per sample.

mod action;
mod charts;
mod element;
mod haar;

pub use charts::Argsort;
pub use element::Permutations;

use crate::rows::one_each;
use crate::{Group, MetricGroup, Result, untracked};
use candle_core::{DType, Device, Tensor};
use symdiff_ops::{Batched, Ragged};

/// The symmetric group of each sample's nodes: `S_n` for all samples, or that of its own size for each sample of a ragged batch.
#[derive(Clone, Debug)]
pub struct Symmetric(Degree);

#[derive(Clone, Debug)]
enum Degree {
    Uniform(usize),
    Ragged(Ragged),
}

impl Symmetric {
    /// `S_n`, the same n for every sample.
    pub fn new(n: usize) -> Self {
        Self(Degree::Uniform(n))
    }

    /// The permutations of the nodes within each sample of `layout`.
    pub fn ragged(layout: Ragged) -> Self {
        Self(Degree::Ragged(layout))
    }

    /// The number of nodes of each of `samples` samples.
    fn degrees(&self, samples: usize) -> Result<Vec<usize>> {
        match &self.0 {
            Degree::Uniform(n) => Ok(vec![*n; samples]),
            Degree::Ragged(layout) => {
                one_each("permutations of a ragged batch", layout.len(), samples)?;
                Ok(layout.sizes().collect())
            }
        }
    }
}

impl Group for Symmetric {
    type Element = Permutations;

    fn inverse(&self, g: &Permutations) -> Result<Permutations> {
        Ok(g.inverted())
    }

    fn identity(&self, like: &impl Batched) -> Result<Permutations> {
        Ok(Permutations::of(self.degrees(like.samples().len())?.into_iter().map(|n| (0..n as u32).collect())))
    }
}

/// The number of nodes that g and h send to different places (Hamming): invariant on both sides.
impl MetricGroup for Symmetric {
    fn distance(&self, g: &Permutations, h: &Permutations) -> Result<Tensor> {
        one_each("distance of permutations", g.len(), h.len())?;
        let differing = g.each().zip(h.each()).map(|(g, h)| g.iter().zip(h).filter(|(a, b)| a != b).count() as f64);
        Ok(Tensor::from_iter(differing, &Device::Cpu)?)
    }
}

/// The permutations that sort the scores of samples of the given sizes upwards: place j takes node `order[j]`.
fn sorting(what: &'static str, scores: &Tensor, sizes: Vec<usize>) -> Result<Permutations> {
    let scores: Vec<f64> = untracked(what, scores)?.flatten_all()?.to_dtype(DType::F64)?.to_vec1()?;
    let mut rest = scores.as_slice();
    Ok(Permutations::of(sizes.into_iter().map(|size| {
        let (own, others) = rest.split_at(size);
        rest = others;
        let mut order: Vec<u32> = (0..size as u32).collect();
        order.sort_by(|&a, &b| own[a as usize].total_cmp(&own[b as usize]));
        order
    })))
}
