//! A batch of turns.

use crate::{Cyclic, Error, Observe, Result};

/// One number of turns per sample, each in 0..n, held on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turns(Vec<u32>);

impl Turns {
    /// The number of samples, B.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is no sample.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The turns of each sample, `[B]`.
    pub fn steps(&self) -> &[u32] {
        &self.0
    }

    pub(super) fn of(steps: impl IntoIterator<Item = u32>) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl Cyclic {
    /// The elements that make `steps[b]` turns on sample b.
    ///
    /// # Errors
    /// When a number is not in 0..n.
    pub fn element(&self, steps: Vec<u32>) -> Result<Turns> {
        match steps.iter().position(|&k| k >= self.n()) {
            Some(sample) => {
                let why = format!("makes {} turns of {}; give a number below {}", steps[sample], self.n(), self.n());
                Err(Error::NotAnElement { what: "turn", sample, why })
            }
            None => Ok(Turns(steps)),
        }
    }
}

/// The number of turns.
impl Observe for Turns {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        Ok(self.0.iter().map(|&k| vec![f64::from(k)]).collect())
    }
}
