//! Ragged clouds of points in ℝⁿ.

use super::observed_rows;
use crate::rows::one_each;
use crate::{Action, Error, Matrices, MatrixGroup, Observe, Result, if_served};
use candle_core::{DType, Device, Tensor};
use symdiff_ops::{Batched, Euclidean, Noise, Ragged, Samples, rotate, segment_sum, spread};

/// Points `[N, n]` of a ragged batch, one row each. States with positions implement their own action through this one.
#[derive(Clone, Debug)]
pub struct Points {
    positions: Tensor,
    layout: Ragged,
}

impl Points {
    /// Positions `[N, n]` of the nodes of `layout`.
    ///
    /// # Errors
    /// When there is not one row per node.
    pub fn new(positions: Tensor, layout: Ragged) -> Result<Self> {
        layout.check_nodes("points", "positions", &positions)?;
        Ok(Self { positions, layout })
    }

    /// The positions, `[N, n]`.
    pub fn positions(&self) -> &Tensor {
        &self.positions
    }

    /// The positions, `[N, n]`, by value.
    pub fn into_positions(self) -> Tensor {
        self.positions
    }

    /// How the nodes divide into samples.
    pub fn layout(&self) -> &Ragged {
        &self.layout
    }
}

/// x ↦ R·x, that is x·Rᵀ for rows.
impl<G: MatrixGroup> Action<G> for Points {
    fn act(&self, group: &G, g: &G::Element) -> Result<Self> {
        let (what, n) = ("rotation of points", group.n());
        one_each(what, g.len(), self.layout.len())?;
        if self.positions.dims()[1] != n {
            let (got, expected) = (self.positions.dims().to_vec(), format!("[N, {n}], the space the group acts on"));
            return Err(Error::Shape { what, got, expected });
        }
        let by_op = if n == 3 { if_served(rotate(&self.positions, g.as_tensor(), &self.layout, false))? } else { None };
        let positions = by_op.map_or_else(|| rotated(&self.positions, g, &self.layout), Ok)?;
        Ok(Self { positions, layout: self.layout.clone() })
    }
}

/// R·x for each row x, from Candle's own operations.
fn rotated(positions: &Tensor, g: &Matrices, layout: &Ragged) -> Result<Tensor> {
    let matrices = g.as_tensor().index_select(&layout.owners_tensor(positions.device())?, 0)?;
    Ok(matrices.broadcast_mul(&positions.unsqueeze(1)?)?.sum(2)?)
}

impl Batched for Points {
    fn samples(&self) -> Samples {
        self.layout.samples().clone()
    }

    fn device(&self) -> Device {
        self.positions.device().clone()
    }

    fn dtype(&self) -> DType {
        self.positions.dtype()
    }
}

/// The coordinates of each sample's points, one after the other.
impl Observe for Points {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        observed_rows(&self.positions, &self.layout)
    }
}

impl Euclidean for Points {
    fn combine(&self, a: &Tensor, other: &Self, b: &Tensor) -> symdiff_ops::Result<Self> {
        let coefficient = |c: &Tensor| spread(&c.unsqueeze(1)?, &self.layout);
        let scaled = |x: &Self, c: &Tensor| -> symdiff_ops::Result<Tensor> { Ok(x.positions.broadcast_mul(&coefficient(c)?)?) };
        Ok(Self { positions: (scaled(self, a)? + scaled(other, b)?)?, layout: self.layout.clone() })
    }

    fn gaussian(&self, noise: Noise) -> symdiff_ops::Result<Self> {
        let positions = noise.normal_nodes(&self.layout, self.positions.dims()[1], self.dtype(), self.positions.device())?;
        Ok(Self { positions, layout: self.layout.clone() })
    }

    fn squared_norms(&self) -> symdiff_ops::Result<Tensor> {
        Ok(segment_sum(&self.positions.sqr()?.sum_keepdim(1)?, &self.layout)?.squeeze(1)?)
    }

    fn dimensions(&self) -> Vec<usize> {
        self.layout.sizes().map(|size| size * self.positions.dims()[1]).collect()
    }

    fn detached(&self) -> Self {
        Self { positions: self.positions.detach(), layout: self.layout.clone() }
    }
}
