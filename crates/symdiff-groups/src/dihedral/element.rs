//! A batch of symmetries of the n-gon.

use crate::{Dihedral, Error, Observe, Result};

/// One symmetry rᵏ·sᶠ per sample, held on the host. They know their n, and another `D_m` refuses them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symmetries {
    n: u32,
    each: Vec<(u32, bool)>,
}

impl Symmetries {
    /// The number of samples, B.
    pub fn len(&self) -> usize {
        self.each.len()
    }

    /// True when there is no sample.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// The turns k and the mirror flag f of each sample, B pairs.
    pub fn each(&self) -> impl ExactSizeIterator<Item = (u32, bool)> + '_ {
        self.each.iter().copied()
    }

    pub(super) fn of(group: Dihedral, each: impl IntoIterator<Item = (u32, bool)>) -> Self {
        Self { n: group.n(), each: each.into_iter().collect() }
    }
}

impl Dihedral {
    /// The elements rᵏ·sᶠ for `each[b] = (k, f)`.
    ///
    /// # Errors
    /// When a k is not in 0..n.
    pub fn element(&self, each: Vec<(u32, bool)>) -> Result<Symmetries> {
        match each.iter().position(|&(k, _)| k >= self.n()) {
            Some(sample) => {
                let why = format!("makes {} turns of {}; give a number below {}", each[sample].0, self.n(), self.n());
                Err(Error::NotAnElement { what: "symmetry", sample, why })
            }
            None => Ok(Symmetries::of(*self, each)),
        }
    }

    /// Fails unless `g` is made of symmetries of the n-gon.
    pub(super) fn owns(self, what: &'static str, g: &Symmetries) -> Result<()> {
        if g.n == self.n() { Ok(()) } else { Err(Error::Group { what, of: format!("D_{}", g.n), to: format!("D_{}", self.n()) }) }
    }
}

/// The number of turns, and 1 for a mirrored one.
impl Observe for Symmetries {
    fn observe(&self) -> Result<Vec<Vec<f64>>> {
        Ok(self.each().map(|(k, f)| vec![f64::from(k), f64::from(u8::from(f))]).collect())
    }
}
