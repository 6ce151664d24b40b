//! T(n), SE(n) and the matrices inside E(n), and the cosets of T(n) and SE(n).

use super::{EuclideanGroup, Motions};
use crate::{CompactGroup, Cosets, Group, Matrices, MatrixGroup, Orthogonal, Result, Shifts, SpecialOrthogonal, Subgroup, Translations};
use symdiff_ops::{Batched, Noise};

impl<L: MatrixGroup> Subgroup<EuclideanGroup<L>> for Translations {
    fn embed(&self, group: &EuclideanGroup<L>, h: &Shifts, like: &impl Batched) -> Result<Motions> {
        Ok(Motions::trusted(group.linear().identity(like)?, h.clone()))
    }
}

impl Subgroup<EuclideanGroup<Orthogonal>> for EuclideanGroup<SpecialOrthogonal> {
    fn embed(&self, group: &EuclideanGroup<Orthogonal>, h: &Motions, like: &impl Batched) -> Result<Motions> {
        Ok(Motions::trusted(self.linear().embed(group.linear(), h.linear(), like)?, h.shift().clone()))
    }
}

/// A mirror image or none, and no translation.
impl Cosets<EuclideanGroup<SpecialOrthogonal>> for EuclideanGroup<Orthogonal> {
    fn coset(&self, subgroup: &EuclideanGroup<SpecialOrthogonal>, like: &impl Batched, noise: Noise) -> Result<Motions> {
        let mirrored = self.linear().coset(subgroup.linear(), like, noise)?;
        Ok(Motions::trusted(mirrored, self.translations().identity(like)?))
    }
}

macro_rules! turns_of {
    ($($linear:ty),*) => {$(
        impl Subgroup<EuclideanGroup<$linear>> for $linear {
            fn embed(&self, group: &EuclideanGroup<$linear>, h: &Matrices, like: &impl Batched) -> Result<Motions> {
                Ok(Motions::trusted(h.clone(), group.translations().identity(like)?))
            }
        }
    )*};
}
turns_of!(Orthogonal, SpecialOrthogonal);

/// A Haar matrix and no translation.
impl<L: MatrixGroup + CompactGroup> Cosets<Translations> for EuclideanGroup<L> {
    fn coset(&self, subgroup: &Translations, like: &impl Batched, noise: Noise) -> Result<Motions> {
        Ok(Motions::trusted(self.linear().haar(like, noise)?, subgroup.identity(like)?))
    }
}
