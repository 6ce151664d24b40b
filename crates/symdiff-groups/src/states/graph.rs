//! Graphs with features of nodes and of ordered pairs of nodes.

use super::{observed, scaled};
use crate::{Error, Observe, Result};
use candle_core::{DType, Device, Tensor};
use symdiff_ops::{Batched, Euclidean, Noise, Samples};

/// Graphs of n nodes: node features `[B, n, C]` and edge features `[B, n, n, E]`, of which adjacency is one.
#[derive(Clone, Debug)]
pub struct Graph {
    nodes: Tensor,
    edges: Tensor,
}

impl Graph {
    /// The graphs of these features.
    ///
    /// # Errors
    /// When the shapes do not belong together.
    pub fn new(nodes: Tensor, edges: Tensor) -> Result<Self> {
        match (nodes.dims(), edges.dims()) {
            (&[b, n, _], &[b2, n2, n3, _]) if (b, n, n) == (b2, n2, n3) => Ok(Self { nodes, edges }),
            (nodes, edges) => {
                let expected = format!("[B, n, n, E] for nodes {nodes:?}, which are [B, n, C]");
                Err(Error::Shape { what: "edges of a graph", got: edges.to_vec(), expected })
            }
        }
    }

    /// The features of nodes, `[B, n, C]`.
    pub fn nodes(&self) -> &Tensor {
        &self.nodes
    }

    /// The features of pairs, `[B, n, n, E]`.
    pub fn edges(&self) -> &Tensor {
        &self.edges
    }
}

impl Batched for Graph {
    fn samples(&self) -> Samples {
        self.nodes.samples()
    }

    fn device(&self) -> Device {
        self.nodes.device().clone()
    }

    fn dtype(&self) -> DType {
        self.nodes.dtype()
    }
}

/// The nodes' numbers, then the edges'.
impl Observe for Graph {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        Ok(observed(&self.nodes)?.into_iter().zip(observed(&self.edges)?).map(|(n, e)| [n, e].concat()).collect())
    }
}

/// All features of nodes and of ordered pairs.
impl Euclidean for Graph {
    fn combine(&self, a: &Tensor, other: &Self, b: &Tensor) -> symdiff_ops::Result<Self> {
        let nodes = (scaled(&self.nodes, a)? + scaled(&other.nodes, b)?)?;
        Ok(Self { nodes, edges: (scaled(&self.edges, a)? + scaled(&other.edges, b)?)? })
    }

    fn gaussian(&self, noise: Noise) -> symdiff_ops::Result<Self> {
        let [nodes, edges] = noise.split();
        let drawn = |stream: Noise, like: &Tensor| stream.normal(&self.samples(), &like.dims()[1..], like.dtype(), like.device());
        Ok(Self { nodes: drawn(nodes, &self.nodes)?, edges: drawn(edges, &self.edges)? })
    }

    fn squared_norms(&self) -> symdiff_ops::Result<Tensor> {
        let norms = |x: &Tensor| x.sqr()?.flatten_from(1)?.sum(1);
        Ok((norms(&self.nodes)? + norms(&self.edges)?)?)
    }

    fn dimensions(&self) -> Vec<usize> {
        let width = |x: &Tensor| x.dims()[1..].iter().product::<usize>();
        vec![width(&self.nodes) + width(&self.edges); self.nodes.dims()[0]]
    }

    fn detached(&self) -> Self {
        Self { nodes: self.nodes.detach(), edges: self.edges.detach() }
    }
}
