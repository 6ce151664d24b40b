//! Bonds from distances.
//!
//! A pair at d angstrom has order at least 1 if 100·d < single + 10, at least 2 if also 100·d < double + 5, at least 3
//! if also 100·d < triple + 3 (picometres, strictly). There is no lower limit, coincident atoms are bonded, and no cap on
//! an atom's bonds.

use super::tables;
use crate::molecule::{Bond, BondOrder};

/// No pair of the tables is bonded at or beyond this many angstrom (I–I, the longest, ends at 2.76).
const REACH: f64 = 2.8;

/// All bonds of a geometry, sorted.
///
/// # Shapes
/// `atomic_numbers` `[n]`, `positions` `[n, 3]`.
///
/// # Units
/// Angstrom.
///
/// # Source
/// EDM, arXiv 2203.17003, appendix; distances in `f64`.
pub fn perceive_bonds(atomic_numbers: &[u8], positions: &[[f64; 3]]) -> Vec<Bond> {
    let atoms = || atomic_numbers.iter().zip(positions).enumerate();
    let mut bonds = Vec::with_capacity(atomic_numbers.len() + 2);
    for (first, (a, x)) in atoms() {
        for (second, (b, y)) in atoms().skip(first + 1) {
            let squared = (x[0] - y[0]).powi(2) + (x[1] - y[1]).powi(2) + (x[2] - y[2]).powi(2);
            if squared >= REACH * REACH {
                continue;
            }
            if let Some(order) = order(100.0 * squared.sqrt(), tables::limits(*a, *b)) {
                bonds.push(Bond { first, second, order });
            }
        }
    }
    bonds
}

fn order(picometres: f64, limits: &tables::Limits) -> Option<BondOrder> {
    if picometres >= limits[0] {
        None
    } else if picometres >= limits[1] {
        Some(BondOrder::Single)
    } else if picometres >= limits[2] {
        Some(BondOrder::Double)
    } else {
        Some(BondOrder::Triple)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(a: u8, b: u8, angstrom: f64) -> Option<u8> {
        let bonds = perceive_bonds(&[a, b], &[[0.0; 3], [angstrom, 0.0, 0.0]]);
        bonds.first().and_then(|bond| bond.order.pairs())
    }

    #[test]
    fn orders_follow_the_published_limits() {
        for (a, b, angstrom, order) in [
            (1, 1, 0.8399, Some(1)),
            (1, 1, 0.8401, None),
            (1, 1, 0.0, Some(1)),
            (6, 6, 1.2299, Some(3)),
            (6, 6, 1.2301, Some(2)),
            (6, 6, 1.3899, Some(2)),
            (6, 6, 1.3901, Some(1)),
            (6, 6, 1.6401, None),
            (8, 6, 1.1599, Some(3)),
            (16, 6, 1.6499, Some(2)),
            (53, 53, 2.7599, Some(1)),
            (53, 53, 2.7601, None),
            (5, 6, 1.0, None),
            (80, 80, 0.1, None),
            (13, 1, 0.1, None),
            (2, 1, 0.1, None),
        ] {
            assert_eq!(between(a, b, angstrom), order, "{a}-{b} at {angstrom}");
            assert_eq!(between(b, a, angstrom), order, "{b}-{a} at {angstrom}");
        }
    }
}
