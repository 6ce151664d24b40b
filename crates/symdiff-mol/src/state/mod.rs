//! Molecules as tensors: the state that diffuses, on which rotations and permutations act.

mod encoding;
mod permutations;
#[cfg(test)]
mod tests;

pub use encoding::Encoding;
pub use permutations::AtomPermutations;

use candle_core::{DType, Device, Tensor};
use symdiff_groups::{Action, MatrixGroup, Observe, Points};
use symdiff_ops::{Batched, Error, Euclidean, Noise, Ragged, Result, Samples, centre, segment_sum, spread};

/// A batch of molecules: positions and features of every atom, packed.
///
/// # Shapes
/// positions `[N, 3]`, features `[N, F]`, and a layout of N atoms in B molecules.
///
/// # Units
/// Positions in angstrom over the encoding's scale; features as [`Encoding`] scales them.
#[derive(Clone, Debug)]
pub struct Molecules {
    positions: Tensor,
    features: Tensor,
    layout: Ragged,
}

impl Molecules {
    /// Joins the parts.
    ///
    /// # Errors
    /// [`Error::Shape`] when a tensor does not have one row an atom, or positions are not 3-D.
    pub fn new(positions: Tensor, features: Tensor, layout: Ragged) -> Result<Self> {
        layout.check_nodes("molecules", "features", &features)?;
        if positions.dims() != [layout.nodes(), 3] {
            let expected = format!("[{}, 3], one point an atom", layout.nodes());
            return Err(Error::Shape { op: "molecules", what: "positions", got: positions.dims().to_vec(), expected });
        }
        Ok(Self { positions, features, layout })
    }

    /// Molecules of the given layout without content: what samplers start from.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn blank(layout: Ragged, features: usize, dtype: DType, device: &Device) -> Result<Self> {
        let zeros = |width| Tensor::zeros((layout.nodes(), width), dtype, device);
        Ok(Self { positions: zeros(3)?, features: zeros(features)?, layout })
    }

    /// Positions `[N, 3]`.
    pub fn positions(&self) -> &Tensor {
        &self.positions
    }

    /// Features `[N, F]`.
    pub fn features(&self) -> &Tensor {
        &self.features
    }

    /// Which atoms belong to which molecule.
    pub fn layout(&self) -> &Ragged {
        &self.layout
    }

    /// The same molecules as a part of a batch whose largest molecule has `longest` atoms.
    ///
    /// # Errors
    /// [`Error::Layout`] when a molecule has more atoms.
    pub fn part_of(self, longest: usize) -> Result<Self> {
        let layout = self.layout.part_of(longest)?;
        Ok(Self { layout, ..self })
    }

    /// The same molecules at other positions.
    ///
    /// # Errors
    /// When the positions do not fit.
    pub fn at(&self, positions: Tensor) -> Result<Self> {
        Self::new(positions, self.features.clone(), self.layout.clone())
    }

    /// The same molecules with every centre of gravity at the origin (the plain mean of positions: all atoms weigh the same).
    ///
    /// # Errors
    /// When the device refuses.
    pub fn centred(&self) -> Result<Self> {
        self.at(centre(&self.positions, &self.layout)?)
    }

    /// Positions and features side by side, `[N, 3 + F]`.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn joined(&self) -> Result<Tensor> {
        Ok(Tensor::cat(&[&self.positions, &self.features], 1)?)
    }

    /// The inverse of [`Molecules::joined`].
    ///
    /// # Errors
    /// [`Error::Shape`] when there are fewer than three columns.
    pub fn from_joined(rows: &Tensor, layout: Ragged) -> Result<Self> {
        layout.check_nodes("molecules", "rows", rows)?;
        let width = rows.dims()[1].checked_sub(3).ok_or_else(|| Error::Shape {
            op: "molecules",
            what: "rows",
            got: rows.dims().to_vec(),
            expected: "[N, 3 + F]".into(),
        })?;
        Self::new(rows.narrow(1, 0, 3)?, rows.narrow(1, 3, width)?, layout)
    }
}

impl Batched for Molecules {
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

/// Position and features of each atom, one after the other.
impl Observe for Molecules {
    fn observe(&self) -> symdiff_groups::Result<Vec<Vec<f64>>> {
        Points::new(self.joined()?, self.layout.clone())?.observe()
    }
}

/// The space of centred positions and free features: dimension 3(n − 1) + F·n.
impl Euclidean for Molecules {
    fn combine(&self, a: &Tensor, other: &Self, b: &Tensor) -> Result<Self> {
        let coefficient = |c: &Tensor| spread(&c.unsqueeze(1)?, &self.layout);
        let (a, b) = (coefficient(a)?, coefficient(b)?);
        let mix = |x: &Tensor, y: &Tensor| -> Result<Tensor> { Ok((x.broadcast_mul(&a)? + y.broadcast_mul(&b)?)?) };
        Self::new(mix(&self.positions, &other.positions)?, mix(&self.features, &other.features)?, self.layout.clone())
    }

    fn gaussian(&self, noise: Noise) -> Result<Self> {
        let width = 3 + self.features.dims()[1];
        let drawn = noise.normal_nodes(&self.layout, width, self.dtype(), &self.device())?;
        Self::from_joined(&drawn, self.layout.clone())?.centred()
    }

    fn squared_norms(&self) -> Result<Tensor> {
        let rows = (self.positions.sqr()?.sum_keepdim(1)? + self.features.sqr()?.sum_keepdim(1)?)?;
        Ok(segment_sum(&rows, &self.layout)?.squeeze(1)?)
    }

    fn dimensions(&self) -> Vec<usize> {
        let features = self.features.dims()[1];
        self.layout.sizes().map(|n| 3 * (n - 1) + features * n).collect()
    }

    fn detached(&self) -> Self {
        Self { positions: self.positions.detach(), features: self.features.detach(), layout: self.layout.clone() }
    }
}

/// A rotation or reflection moves the positions; the features are invariant.
impl<G: MatrixGroup> Action<G> for Molecules {
    fn act(&self, group: &G, g: &G::Element) -> symdiff_groups::Result<Self> {
        let moved = Points::new(self.positions.clone(), self.layout.clone())?.act(group, g)?;
        Ok(self.at(moved.into_positions())?)
    }
}
