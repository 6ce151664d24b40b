//! A batch of translations.

use crate::states::observed;
use crate::{Error, Observe, Result, Translations};
use candle_core::Tensor;

/// One translation vector per sample, `[B, n]`.
#[derive(Clone, Debug)]
pub struct Shifts(Tensor);

impl Shifts {
    /// The vectors, `[B, n]`, to look at.
    pub fn as_tensor(&self) -> &Tensor {
        &self.0
    }

    /// The number of samples, B.
    pub fn len(&self) -> usize {
        self.0.dims()[0]
    }

    /// True when there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn trusted(vectors: Tensor) -> Self {
        Self(vectors)
    }
}

impl Translations {
    /// The translations by `vectors`, `[B, n]`.
    ///
    /// # Errors
    /// When the shape is another.
    pub fn element(&self, vectors: &Tensor) -> Result<Shifts> {
        if vectors.rank() == 2 && vectors.dims()[1] == self.n() {
            return Ok(Shifts(vectors.clone()));
        }
        Err(Error::Shape { what: "translation", got: vectors.dims().to_vec(), expected: format!("[B, {}]", self.n()) })
    }
}

/// The n coordinates of each vector.
impl Observe for Shifts {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        observed(&self.0)
    }
}
