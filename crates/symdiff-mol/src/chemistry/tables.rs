//! Typical bond lengths and allowed valences.
//!
//! The lengths are those of EDM (Hoogeboom et al., arXiv 2203.17003, appendix), collected there from chemistry
//! handbooks. The table is symmetric; a pair that is absent has no such bond.

use crate::molecule::BondOrder;
use std::sync::LazyLock;

/// Elements with a row in the tables.
const ELEMENTS: [u8; 16] = [1, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 33, 35, 53, 80, 83];
const NONE: u8 = u8::MAX;

/// Lengths in picometres, `(first, second, length)`.
type Lengths = &'static [(u8, u8, u16)];

/// Pairs (aromatic bonds, sum of the other orders).
type Pairs = &'static [(u8, u8)];

#[rustfmt::skip]
const SINGLE: Lengths = &[
    (1, 1, 74), (1, 5, 119), (1, 6, 109), (1, 7, 101), (1, 8, 96), (1, 9, 92), (1, 14, 148), (1, 15, 144),
    (1, 16, 134), (1, 17, 127), (1, 33, 152), (1, 35, 141), (1, 53, 161),
    (5, 17, 175),
    (6, 6, 154), (6, 7, 147), (6, 8, 143), (6, 9, 135), (6, 14, 185), (6, 15, 184), (6, 16, 182), (6, 17, 177),
    (6, 35, 194), (6, 53, 214),
    (7, 7, 145), (7, 8, 140), (7, 9, 136), (7, 15, 177), (7, 16, 168), (7, 17, 175), (7, 35, 214), (7, 53, 222),
    (8, 8, 148), (8, 9, 142), (8, 14, 163), (8, 15, 163), (8, 16, 151), (8, 17, 164), (8, 35, 172), (8, 53, 194),
    (9, 9, 142), (9, 14, 160), (9, 15, 156), (9, 16, 158), (9, 17, 166), (9, 35, 178), (9, 53, 187),
    (14, 14, 233), (14, 16, 200), (14, 17, 202), (14, 35, 215), (14, 53, 243),
    (15, 15, 221), (15, 16, 210), (15, 17, 203), (15, 35, 222),
    (16, 16, 204), (16, 17, 207), (16, 35, 225), (16, 53, 234),
    (17, 17, 199), (17, 35, 214), (35, 35, 228), (53, 53, 266),
];

#[rustfmt::skip]
const DOUBLE: Lengths = &[
    (6, 6, 134), (6, 7, 129), (6, 8, 120), (6, 16, 160), (7, 7, 125), (7, 8, 121), (8, 8, 121), (8, 15, 150),
    (15, 16, 186),
];

const TRIPLE: Lengths = &[(6, 6, 120), (6, 7, 116), (6, 8, 113), (7, 7, 110)];

/// Tolerances of single, double and triple bonds in picometres.
const MARGINS: [u16; 3] = [10, 5, 3];

/// A distance in picometres below which a pair has at least order 1, 2, 3; negative where it never has.
pub(super) type Limits = [f64; 3];

static LIMITS: LazyLock<[[Limits; 16]; 16]> = LazyLock::new(|| {
    let mut limits = [[[-1.0; 3]; 16]; 16];
    for (order, table) in [SINGLE, DOUBLE, TRIPLE].into_iter().enumerate() {
        for &(a, b, length) in table {
            let limit = f64::from(length + MARGINS[order]);
            let (a, b) = (row(a), row(b));
            limits[a][b][order] = limit;
            limits[b][a][order] = limit;
        }
    }
    limits
});

static ROWS: LazyLock<[u8; 256]> = LazyLock::new(|| {
    let mut rows = [NONE; 256];
    for (place, z) in ELEMENTS.iter().enumerate() {
        rows[usize::from(*z)] = place as u8;
    }
    rows
});

/// Limits of a pair; of elements outside the tables, none.
pub(super) fn limits(a: u8, b: u8) -> &'static Limits {
    const NEVER: Limits = [-1.0; 3];
    let (a, b) = (row(a), row(b));
    LIMITS.get(a).and_then(|line| line.get(b)).unwrap_or(&NEVER)
}

/// The typical length of a bond in angstrom; `None` where the tables have none. An aromatic bond lies between single and
/// double.
pub fn typical_length(a: u8, b: u8, order: BondOrder) -> Option<f64> {
    let length = |order: usize| {
        let limit = limits(a, b)[order];
        (limit > 0.0).then(|| (limit - f64::from(MARGINS[order])) / 100.0)
    };
    match order {
        BondOrder::Single => length(0),
        BondOrder::Double => length(1),
        BondOrder::Triple => length(2),
        BondOrder::Aromatic => length(0).zip(length(1)).map(|(single, double)| 0.5 * (single + double)),
    }
}

/// Sums of bond orders at which an atom is stable; empty outside the tables.
pub(super) fn allowed_valences(atomic_number: u8) -> &'static [u8] {
    match atomic_number {
        1 | 9 | 17 | 35 | 53 => &[1],
        8 => &[2],
        5 | 7 | 13 | 33 => &[3],
        6 | 14 | 16 => &[4],
        15 | 83 => &[3, 5],
        80 => &[1, 2],
        _ => &[],
    }
}

/// Element, formal charge, and the pairs (aromatic bonds, sum of the other orders) at which the atom is stable.
///
/// # Source
/// GEOM-Drugs Revisited (arXiv 2505.00169), its table for molecules with hydrogens (MIT).
#[rustfmt::skip]
const TUPLES: &[(u8, i8, Pairs)] = &[
    (1, 0, &[(0, 1)]),
    (5, -1, &[(0, 4)]), (5, 0, &[(0, 3)]),
    (6, -1, &[(0, 3), (2, 1), (3, 0)]), (6, 0, &[(0, 4), (2, 2), (2, 1), (3, 0)]), (6, 1, &[(0, 3), (2, 1), (3, 0)]),
    (7, -2, &[(0, 1)]), (7, -1, &[(0, 2), (2, 0)]), (7, 0, &[(0, 3), (2, 0), (2, 1), (3, 0)]),
    (7, 1, &[(0, 4), (2, 0), (2, 1), (2, 2), (3, 0)]),
    (8, -1, &[(0, 1)]), (8, 0, &[(0, 2), (2, 0)]), (8, 1, &[(0, 3)]),
    (9, 0, &[(0, 1)]),
    (14, 0, &[(0, 4)]), (14, 1, &[(0, 5)]),
    (15, 0, &[(0, 3), (0, 5)]), (15, 1, &[(0, 4)]),
    (16, -1, &[(0, 1)]), (16, 0, &[(0, 2), (0, 3), (0, 6), (2, 0)]), (16, 1, &[(0, 3), (2, 0), (2, 1), (3, 0)]),
    (16, 2, &[(0, 4), (2, 1), (2, 2)]), (16, 3, &[(0, 2), (0, 5)]),
    (17, 0, &[(0, 1)]), (17, 1, &[(0, 2)]),
    (35, 0, &[(0, 1)]), (35, 1, &[(0, 2)]),
    (53, 0, &[(0, 1)]), (53, 1, &[(0, 2)]), (53, 2, &[(0, 3)]),
    (83, 0, &[(0, 3)]), (83, 2, &[(0, 5)]),
];

/// The listed pairs of an element and formal charge; empty for combinations that are not listed.
pub(super) fn allowed_tuples(atomic_number: u8, charge: i8) -> Pairs {
    TUPLES.iter().find(|(z, q, _)| (*z, *q) == (atomic_number, charge)).map_or(&[], |(_, _, pairs)| pairs)
}

fn row(atomic_number: u8) -> usize {
    usize::from(ROWS[usize::from(atomic_number)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element;
    use serde_json::Value;
    use std::path::Path;

    /// Every length, margin and valence against the published tables.
    #[test]
    fn tables_are_the_published_ones() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bond_tables.json");
        let text = std::fs::read_to_string(path).unwrap();
        let published: Value = serde_json::from_str(&text).unwrap();
        let z = |symbol: &str| element::atomic_number(symbol).unwrap();
        let geom = &published["geom"];
        for (order, name) in ["single", "double", "triple"].into_iter().enumerate() {
            let margin = published["margin"][name].as_f64().unwrap();
            let lengths = geom[name].as_object().unwrap();
            for a in ELEMENTS {
                for b in ELEMENTS.into_iter().filter(|b| *b >= a) {
                    let key = [a, b].map(|z| element::symbol(z).unwrap()).join("-");
                    let expected = lengths.get(&key).map_or(-1.0, |pm| pm.as_f64().unwrap() + margin);
                    assert_eq!(limits(a, b)[order], expected, "{name} {key}");
                    assert_eq!(limits(b, a)[order], expected, "{name} {key}");
                }
            }
        }
        for (symbol, allowed) in geom["allowed_valence"].as_object().unwrap() {
            assert_eq!(serde_json::json!(allowed_valences(z(symbol))), *allowed, "{symbol}");
        }
        let mut listed = 0;
        for (symbol, charges) in published["geom_revisited"]["tuples"].as_object().unwrap() {
            for (charge, pairs) in charges.as_object().unwrap() {
                let ours = allowed_tuples(z(symbol), charge.parse().unwrap());
                assert_eq!(serde_json::json!(ours), *pairs, "{symbol} {charge}");
                listed += 1;
            }
        }
        assert_eq!(listed, TUPLES.len());
    }
}
