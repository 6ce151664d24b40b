//! Symmetries of themselves, of points of the plane and of images.

use super::{Dihedral, Symmetries};
use crate::rows::one_each;
use crate::states::grid;
use crate::{Action, Cloud, Image, Orthogonal, Points, Result, Subgroup, Vectors};

/// rᵏ·sᶠ·rˡ·sᵉ = r^(k ± l)·s^(f + e), the sign being minus when f: s·r = r⁻¹·s.
impl Action<Dihedral> for Symmetries {
    fn act(&self, group: &Dihedral, g: &Symmetries) -> Result<Self> {
        let what = "product of symmetries";
        group.owns(what, g)?;
        group.owns(what, self)?;
        one_each(what, g.len(), self.len())?;
        let n = group.n();
        Ok(Self::of(*group, g.each().zip(self.each()).map(|((k, f), (l, e))| ((k + if f { n - l } else { l }) % n, f != e))))
    }
}

/// Points, clouds and vectors of the plane: mirrored in the horizontal axis if f, then turned by 2πk/n.
macro_rules! moves {
    ($($state:ty),*) => {$(
        impl Action<Dihedral> for $state {
            fn act(&self, group: &Dihedral, g: &Symmetries) -> Result<Self> {
                let o2 = Orthogonal::new(2);
                self.act(&o2, &group.embed(&o2, g, self)?)
            }
        }
    )*};
}
moves!(Points, Cloud, Vectors);

/// Upside down if f, then quarter turns counter-clockwise, exact; n must divide 4.
impl Action<Dihedral> for Image {
    fn act(&self, group: &Dihedral, g: &Symmetries) -> Result<Self> {
        let what = "symmetry of an image";
        group.owns(what, g)?;
        let quarters = grid::quarters(what, group.n())?;
        grid::moved(self, g.each().map(|(k, f)| (k * quarters, f)))
    }
}
