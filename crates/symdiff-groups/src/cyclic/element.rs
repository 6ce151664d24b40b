//! A batch of turns.

use crate::{Cyclic, Error, Observe, Result};

/// One number of turns per sample, each in 0..n, held on the host. They know their n, and another `C_m` refuses them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turns {
    n: u32,
    steps: Vec<u32>,
}

impl Turns {
    /// The number of samples, B.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// True when there is no sample.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The turns of each sample, `[B]`.
    pub fn steps(&self) -> &[u32] {
        &self.steps
    }

    pub(super) fn of(group: Cyclic, steps: impl IntoIterator<Item = u32>) -> Self {
        Self { n: group.n(), steps: steps.into_iter().collect() }
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
            None => Ok(Turns::of(*self, steps)),
        }
    }

    /// Fails unless `g` is made of turns by 2π/n.
    pub(super) fn owns(self, what: &'static str, g: &Turns) -> Result<()> {
        if g.n == self.n() { Ok(()) } else { Err(Error::Group { what, of: format!("C_{}", g.n), to: format!("C_{}", self.n()) }) }
    }
}

/// The number of turns.
impl Observe for Turns {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        Ok(self.steps.iter().map(|&k| vec![f64::from(k)]).collect())
    }
}
