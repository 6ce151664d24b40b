//! How long a bond is expected to be.

use crate::chemistry::typical_length;
use crate::element::covalent_radius;
use crate::molecule::BondOrder;

/// The typical length of a bond, or else the sum of the covalent radii, in angstrom.
pub(super) fn usual_length(a: u8, b: u8, order: BondOrder) -> Option<f64> {
    typical_length(a, b, order).or_else(|| reach(a, b))
}

/// Sum of covalent radii in angstrom.
pub(super) fn reach(a: u8, b: u8) -> Option<f64> {
    Some(covalent_radius(a)? + covalent_radius(b)?)
}
