//! Ragged clouds of points in ℝⁿ.

use crate::{Action, Error, MatrixGroup, Result};
use candle_core::{DType, Device, Tensor};
use symdiff_ops::{Batched, Ragged, Samples};

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

/// x ↦ R·x, that is x·Rᵀ for rows.
impl<G: MatrixGroup> Action<G> for Points {
    fn act(&self, group: &G, g: &G::Element) -> Result<Self> {
        let n = group.n();
        if self.positions.dims()[1] != n {
            let (got, expected) = (self.positions.dims().to_vec(), format!("[N, {n}], the space the group acts on"));
            return Err(Error::Shape { what: "rotation of points", got, expected });
        }
        if g.len() != self.layout.len() {
            return Err(Error::Batch { what: "rotation of points", elements: g.len(), samples: self.layout.len() });
        }
        let matrices = g.as_tensor().index_select(&self.layout.owners_tensor(self.positions.device())?, 0)?;
        let positions = matrices.broadcast_mul(&self.positions.unsqueeze(1)?)?.sum(2)?;
        Ok(Self { positions, layout: self.layout.clone() })
    }
}
