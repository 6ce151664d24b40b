//! Permutations of atoms.

use super::Molecules;
use symdiff_groups::{Action, CompactGroup, Group, Permutations, Points, Result, Symmetric};
use symdiff_ops::{Batched, Noise, Ragged};

/// The permutations of the atoms within each molecule: [`Symmetric`] as a group of this crate.
///
/// All groups of matrices act on [`Molecules`], also those that others define. For Rust, `Symmetric` might become one of them in a later version of its crate, so
/// that an action of `Symmetric` itself would be a second one; a group of this crate cannot.
#[derive(Clone, Debug)]
pub struct AtomPermutations(Symmetric);

impl AtomPermutations {
    /// The permutations of the atoms of `layout`, molecule by molecule.
    pub fn of(layout: &Ragged) -> Self {
        Self(Symmetric::ragged(layout.clone()))
    }
}

impl Group for AtomPermutations {
    type Element = Permutations;

    fn inverse(&self, g: &Permutations) -> Result<Permutations> {
        self.0.inverse(g)
    }

    fn identity(&self, like: &impl Batched) -> Result<Permutations> {
        self.0.identity(like)
    }
}

impl CompactGroup for AtomPermutations {
    fn haar(&self, like: &impl Batched, noise: Noise) -> Result<Permutations> {
        self.0.haar(like, noise)
    }
}

impl Action<AtomPermutations> for Permutations {
    fn act(&self, group: &AtomPermutations, g: &Permutations) -> Result<Self> {
        self.act(&group.0, g)
    }
}

/// Atoms change places with their positions and features.
impl Action<AtomPermutations> for Molecules {
    fn act(&self, group: &AtomPermutations, g: &Permutations) -> Result<Self> {
        let rows = Points::new(self.joined()?, self.layout.clone())?.act(&group.0, g)?;
        Ok(Self::from_joined(rows.positions(), self.layout.clone())?)
    }
}
