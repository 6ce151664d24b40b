//! Internal coordinates: bond lengths, angles and torsions along a bond graph.

use crate::molecule::Bond;

type Point = [f64; 3];

/// Neighbours of each atom, in ascending order.
pub(crate) fn neighbours(atoms: usize, bonds: &[Bond]) -> Vec<Vec<usize>> {
    let mut lists = vec![Vec::new(); atoms];
    for bond in bonds {
        lists[bond.first].push(bond.second);
        lists[bond.second].push(bond.first);
    }
    for list in &mut lists {
        list.sort_unstable();
    }
    lists
}

/// |a − b| in the unit of the points.
pub(crate) fn distance(a: Point, b: Point) -> f64 {
    norm(minus(a, b))
}

/// The angle a–b–c at b in degrees, in [0, 180]; `None` where two points coincide.
pub(crate) fn angle(a: Point, b: Point, c: Point) -> Option<f64> {
    let (u, v) = (minus(a, b), minus(c, b));
    // atan2 is accurate at all angles, where acos loses half its digits near 0 and 180.
    let (sine, cosine) = (norm(cross(u, v)), dot(u, v));
    (norm(u) > 0.0 && norm(v) > 0.0).then(|| sine.atan2(cosine).to_degrees())
}

/// The size of the torsion a–b–c–d about b–c in degrees, in [0, 180] (mirror images agree); `None` where a–b–c or b–c–d is
/// straight.
pub(crate) fn torsion(a: Point, b: Point, c: Point, d: Point) -> Option<f64> {
    let axis = minus(c, b);
    let (left, right) = (cross(minus(a, b), axis), cross(minus(d, c), axis));
    let straight = 1e-6 * dot(axis, axis);
    (norm(left) > straight && norm(right) > straight).then(|| norm(cross(left, right)).atan2(dot(left, right)).to_degrees())
}

pub(crate) fn minus(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(crate) fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(crate) fn cross(a: Point, b: Point) -> Point {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub(crate) fn norm(a: Point) -> f64 {
    dot(a, a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-9, "{found:?} {expected}");
    }

    #[test]
    fn angles_and_torsions_of_known_shapes() {
        let o = [0.0; 3];
        close(angle([1.0, 0.0, 0.0], o, [0.0, 2.0, 0.0]), 90.0);
        close(angle([1.0, 1.0, 1.0], o, [1.0, -1.0, -1.0]), (-1.0_f64 / 3.0).acos().to_degrees());
        close(angle([1.0, 0.0, 0.0], o, [-3.0, 0.0, 0.0]), 180.0);
        assert_eq!(angle(o, o, [1.0, 0.0, 0.0]), None);
        let (b, c) = (o, [0.0, 0.0, 1.0]);
        for degrees in [0.0_f64, 60.0, 90.0, 180.0, -60.0] {
            let (sine, cosine) = degrees.to_radians().sin_cos();
            close(torsion([1.0, 0.0, -0.5], b, c, [cosine, sine, 1.5]), degrees.abs());
        }
        assert_eq!(torsion([0.0, 0.0, -1.0], b, c, [1.0, 0.0, 1.0]), None);
    }
}
