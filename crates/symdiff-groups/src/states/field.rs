//! Features of nodes that turn with space.

use super::observed_rows;
use crate::rows::one_each;
use crate::{Action, Error, Matrices, MatrixGroup, Observe, Result, orthogonal};
use candle_core::{DType, Device, Tensor};
use symdiff_ops::{Batched, Euclidean, Noise, Ragged, Samples, segment_sum, spread};

/// C features of one kind at each of the N nodes of a ragged batch. Translations do not change them.
#[derive(Clone, Debug)]
pub struct Field {
    values: Tensor,
    kind: Kind,
    layout: Ragged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Scalar,
    Vector,
    Pseudovector,
    Tensor,
}

impl Field {
    /// Scalars `[N, C]`, which nothing turns.
    ///
    /// # Errors
    /// When there is not one row per node.
    pub fn scalars(values: Tensor, layout: Ragged) -> Result<Self> {
        Self::of(Kind::Scalar, 2, "[N, C]", values, layout)
    }

    /// Vectors `[N, C, n]`: v ↦ R·v.
    ///
    /// # Errors
    /// When there is not one row per node.
    pub fn vectors(values: Tensor, layout: Ragged) -> Result<Self> {
        Self::of(Kind::Vector, 3, "[N, C, n]", values, layout)
    }

    /// Pseudo-vectors `[N, C, n]`, as an angular momentum: v ↦ det(R)·R·v.
    ///
    /// # Errors
    /// When there is not one row per node.
    pub fn pseudovectors(values: Tensor, layout: Ragged) -> Result<Self> {
        Self::of(Kind::Pseudovector, 3, "[N, C, n]", values, layout)
    }

    /// Tensors of rank two `[N, C, n, n]`: T ↦ R·T·Rᵀ.
    ///
    /// # Errors
    /// When there is not one row per node.
    pub fn tensors(values: Tensor, layout: Ragged) -> Result<Self> {
        Self::of(Kind::Tensor, 4, "[N, C, n, n]", values, layout)
    }

    /// The values, in the shape of their kind.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// How the nodes divide into samples.
    pub fn layout(&self) -> &Ragged {
        &self.layout
    }

    /// The same kind of field with other values of the same shape.
    pub(crate) fn with_values(&self, values: Tensor) -> Self {
        Self { values, kind: self.kind, layout: self.layout.clone() }
    }

    /// How many numbers a node has.
    fn width(&self) -> usize {
        self.values.dims()[1..].iter().product()
    }

    fn of(kind: Kind, rank: usize, shape: &str, values: Tensor, layout: Ragged) -> Result<Self> {
        if values.rank() == rank && values.dims()[0] == layout.nodes() {
            return Ok(Self { values, kind, layout });
        }
        let expected = format!("{shape} with N = {}", layout.nodes());
        Err(Error::Shape { what: "field", got: values.dims().to_vec(), expected })
    }
}

impl<G: MatrixGroup> Action<G> for Field {
    fn act(&self, _: &G, g: &Matrices) -> Result<Self> {
        let what = "rotation of a field";
        one_each(what, g.len(), self.layout.len())?;
        if self.kind == Kind::Scalar {
            return Ok(self.clone());
        }
        if self.values.dims()[2..].iter().any(|&n| n != g.n()) {
            let expected = format!("{} coordinates a vector", g.n());
            return Err(Error::Shape { what, got: self.values.dims().to_vec(), expected });
        }
        let owners = self.layout.owners_tensor(self.values.device())?;
        let turn = g.as_tensor().transpose(1, 2)?.contiguous()?.index_select(&owners, 0)?;
        let turned = |rows: &Tensor| -> Result<Tensor> {
            let flat = rows.contiguous()?.reshape((rows.dims()[0], (), g.n()))?;
            Ok(flat.matmul(&turn)?.reshape(rows.shape())?)
        };
        Ok(self.with_values(match self.kind {
            Kind::Tensor => turned(&turned(&self.values)?.transpose(2, 3)?)?.transpose(2, 3)?.contiguous()?,
            Kind::Pseudovector => {
                let signs = orthogonal::orthonormal::determinant_signs(g.as_tensor())?;
                let signs = Tensor::from_vec(signs, (g.len(), 1, 1), self.values.device())?.to_dtype(self.dtype())?;
                turned(&self.values)?.broadcast_mul(&signs.index_select(&owners, 0)?)?
            }
            Kind::Scalar | Kind::Vector => turned(&self.values)?,
        }))
    }
}

impl Batched for Field {
    fn samples(&self) -> Samples {
        self.layout.samples().clone()
    }

    fn device(&self) -> Device {
        self.values.device().clone()
    }

    fn dtype(&self) -> DType {
        self.values.dtype()
    }
}

/// The values of each sample's nodes, one after the other.
impl Observe for Field {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        observed_rows(&self.values, &self.layout)
    }
}

impl Euclidean for Field {
    fn combine(&self, a: &Tensor, other: &Self, b: &Tensor) -> symdiff_ops::Result<Self> {
        let scaled = |x: &Self, by: &Tensor| -> symdiff_ops::Result<Tensor> {
            let rows = x.values.flatten_from(1)?.broadcast_mul(&spread(&by.unsqueeze(1)?, &self.layout)?)?;
            Ok(rows.reshape(x.values.shape())?)
        };
        Ok(self.with_values((scaled(self, a)? + scaled(other, b)?)?))
    }

    fn gaussian(&self, noise: Noise) -> symdiff_ops::Result<Self> {
        let drawn = noise.normal_nodes(&self.layout, self.width(), self.dtype(), self.values.device())?;
        Ok(self.with_values(drawn.reshape(self.values.shape())?))
    }

    fn squared_norms(&self) -> symdiff_ops::Result<Tensor> {
        Ok(segment_sum(&self.values.sqr()?.flatten_from(1)?.sum_keepdim(1)?, &self.layout)?.squeeze(1)?)
    }

    fn dimensions(&self) -> Vec<usize> {
        self.layout.sizes().map(|size| size * self.width()).collect()
    }

    fn detached(&self) -> Self {
        self.with_values(self.values.detach())
    }
}
