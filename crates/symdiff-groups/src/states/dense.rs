//! Dense states: one tensor, samples along its first axis, sizes the same for all.

use super::{observed, scaled};
use crate::rows::one_each;
use crate::{Action, Error, Matrices, MatrixGroup, Observe, Result};
use candle_core::{DType, Device, Tensor};
use symdiff_ops::{Batched, Euclidean, Noise, Samples};

/// A state that is one tensor `[B, …]` with a meaning.
pub trait Dense: Batched + Sized {
    /// The state of this tensor.
    ///
    /// # Errors
    /// When the rank is not the state's.
    fn new(tensor: Tensor) -> Result<Self>;

    /// Its tensor.
    fn tensor(&self) -> &Tensor;
}

macro_rules! dense {
    ($($(#[$doc:meta])* $name:ident $rank:literal $shape:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(Tensor);

        impl Dense for $name {
            fn new(tensor: Tensor) -> Result<Self> {
                if tensor.rank() == $rank {
                    return Ok(Self(tensor));
                }
                Err(Error::Shape { what: stringify!($name), got: tensor.dims().to_vec(), expected: $shape.into() })
            }

            fn tensor(&self) -> &Tensor {
                &self.0
            }
        }

        impl Batched for $name {
            fn samples(&self) -> Samples {
                self.0.samples()
            }

            fn device(&self) -> Device {
                self.0.device().clone()
            }

            fn dtype(&self) -> DType {
                self.0.dtype()
            }
        }

        impl Observe for $name {
            fn observe(&self) -> Result<Vec<Vec<f64>>> {
                observed(&self.0)
            }
        }

        impl Euclidean for $name {
            fn combine(&self, a: &Tensor, other: &Self, b: &Tensor) -> symdiff_ops::Result<Self> {
                Ok(Self((scaled(&self.0, a)? + scaled(&other.0, b)?)?))
            }

            fn gaussian(&self, noise: Noise) -> symdiff_ops::Result<Self> {
                Ok(Self(noise.normal(&self.samples(), &self.0.dims()[1..], self.dtype(), self.0.device())?))
            }

            fn squared_norms(&self) -> symdiff_ops::Result<Tensor> {
                Ok(self.0.sqr()?.flatten_from(1)?.sum(1)?)
            }

            fn dimensions(&self) -> Vec<usize> {
                vec![self.0.dims()[1..].iter().product(); self.0.dims()[0]]
            }
        }
    )*};
}

dense! {
    /// One vector of ℝⁿ per sample, `[B, n]`.
    Vectors 2 "[B, n]";
    /// m points of ℝⁿ per sample, `[B, m, n]`.
    Cloud 3 "[B, m, n]";
    /// n members with C features per sample, `[B, n, C]`, in an order that means nothing.
    Set 3 "[B, n, C]";
    /// L positions with C features per sample, `[B, L, C]`, the last followed by the first.
    Sequence 3 "[B, L, C]";
    /// C channels of H × W pixels per sample, `[B, C, H, W]`, the first row on top.
    Image 4 "[B, C, H, W]";
}

/// x ↦ R·x.
impl<G: MatrixGroup> Action<G> for Vectors {
    fn act(&self, _: &G, g: &Matrices) -> Result<Self> {
        Ok(Self(turned("rotation of vectors", &self.0.unsqueeze(1)?, g)?.squeeze(1)?))
    }
}

/// x ↦ R·x, that is x·Rᵀ for rows.
impl<G: MatrixGroup> Action<G> for Cloud {
    fn act(&self, _: &G, g: &Matrices) -> Result<Self> {
        Ok(Self(turned("rotation of a cloud", &self.0, g)?))
    }
}

/// Rows `[B, m, n]` times Rᵀ.
fn turned(what: &'static str, rows: &Tensor, g: &Matrices) -> Result<Tensor> {
    one_each(what, g.len(), rows.dims()[0])?;
    if rows.dims()[2] != g.n() {
        return Err(Error::Shape { what, got: rows.dims().to_vec(), expected: format!("vectors of {} coordinates", g.n()) });
    }
    Ok(rows.contiguous()?.matmul(&g.as_tensor().transpose(1, 2)?.contiguous()?)?)
}
