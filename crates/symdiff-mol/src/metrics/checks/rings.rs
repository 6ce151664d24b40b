//! Aromatic rings by their atoms alone, and whether they are flat.
//!
//! Orders from distances do not show aromatic bonds, so a ring counts by what its atoms are bonded to: six of carbon with three neighbours or
//! nitrogen with two (benzene, pyridine), or five of which one is nitrogen with three, or oxygen or sulphur with two (pyrrole, furan, thiophene).

use crate::metrics::geometry::{cross, dot, minus, norm};

/// The rings, each in the order of its bonds.
pub(super) fn aromatic(atomic_numbers: &[u8], lists: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let donates = |atom: usize| matches!((atomic_numbers[atom], lists[atom].len()), (7, 3) | (8 | 16, 2));
    let shares = |atom: usize| matches!((atomic_numbers[atom], lists[atom].len()), (6, 3) | (7, 2));
    let mut found = Vec::new();
    let mut path = Vec::with_capacity(6);
    for start in (0..lists.len()).filter(|atom| shares(*atom) || donates(*atom)) {
        path.clear();
        path.push(start);
        extend(&mut path, lists, &|atom| shares(atom) || donates(atom), &mut |ring| {
            let donors = ring.iter().filter(|atom| donates(**atom)).count();
            if (ring.len(), donors) == (6, 0) || (ring.len(), donors) == (5, 1) {
                found.push(ring.to_vec());
            }
        });
    }
    found
}

/// Walks from the path's lowest atom over higher ones of the right kind; each ring of five or six atoms is reported once, in one direction.
fn extend(path: &mut Vec<usize>, lists: &[Vec<usize>], kind: &dyn Fn(usize) -> bool, tell: &mut dyn FnMut(&[usize])) {
    let (start, last) = (path[0], path[path.len() - 1]);
    for &next in &lists[last] {
        if next == start && path.len() >= 5 && path[1] < last {
            tell(path);
        } else if next > start && path.len() < 6 && !path.contains(&next) && kind(next) {
            path.push(next);
            extend(path, lists, kind, tell);
            path.pop();
        }
    }
}

/// Atoms of the smallest ring through two bonds of an atom whose other ends are not bonded to each other; none above five.
pub(super) fn around(lists: &[Vec<usize>], centre: usize, [a, b]: [usize; 2]) -> Option<usize> {
    let others = |atom: usize| lists[atom].iter().copied().filter(move |other| *other != centre);
    if others(a).any(|other| lists[other].contains(&b)) {
        return Some(4);
    }
    let bridged = |first: usize| others(b).any(|second| lists[first].contains(&second));
    others(a).any(bridged).then_some(5)
}

/// Whether an atom is in a ring of three or four.
pub(super) fn in_small(lists: &[Vec<usize>], atom: usize) -> bool {
    let own = &lists[atom];
    let pairs = own.iter().enumerate().flat_map(|(at, a)| own[at + 1..].iter().map(move |b| [*a, *b]));
    pairs.into_iter().any(|[a, b]| lists[a].contains(&b) || around(lists, atom, [a, b]) == Some(4))
}

/// Whether all atoms of a ring lie so near to its mean plane, whose normal is the sum Σ rᵢ × rᵢ₊₁ of its area.
pub(super) fn flat(ring: &[usize], positions: &[[f64; 3]], tolerance: f64) -> bool {
    let points = || ring.iter().map(|atom| positions[*atom]);
    let centre = [0, 1, 2].map(|axis| points().map(|point| point[axis]).sum::<f64>() / ring.len() as f64);
    let spokes: Vec<_> = points().map(|point| minus(point, centre)).collect();
    let mut normal = [0.0; 3];
    for (at, spoke) in spokes.iter().enumerate() {
        let area = cross(*spoke, spokes[(at + 1) % spokes.len()]);
        normal = [normal[0] + area[0], normal[1] + area[1], normal[2] + area[2]];
    }
    spokes.iter().all(|spoke| dot(*spoke, normal).abs() <= tolerance * norm(normal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::geometry::neighbours;
    use crate::molecule::{Bond, BondOrder};

    /// Neighbours of atoms bonded in pairs.
    fn lists(atoms: usize, pairs: &[(usize, usize)]) -> Vec<Vec<usize>> {
        let bonds: Vec<_> = pairs.iter().map(|&(first, second)| Bond { first, second, order: BondOrder::Single }).collect();
        neighbours(atoms, &bonds)
    }

    /// A ring of these elements with a hydrogen on each atom that is marked.
    fn ring(elements: &[(u8, bool)]) -> usize {
        let n = elements.len();
        let mut numbers: Vec<u8> = elements.iter().map(|(z, _)| *z).collect();
        let mut pairs: Vec<_> = (0..n).map(|i| (i, (i + 1) % n)).collect();
        for (atom, _) in elements.iter().enumerate().filter(|(_, (_, hydrogen))| *hydrogen) {
            pairs.push((atom, numbers.len()));
            numbers.push(1);
        }
        aromatic(&numbers, &lists(numbers.len(), &pairs)).len()
    }

    #[test]
    fn aromatic_rings_are_told_from_others_and_once() {
        let (carbon, bare) = ((6, true), (7, false));
        assert_eq!(ring(&[carbon; 6]), 1);
        assert_eq!(ring(&[bare, carbon, carbon, carbon, carbon, carbon]), 1);
        assert_eq!(ring(&[(7, true), carbon, carbon, carbon, carbon]), 1);
        assert_eq!(ring(&[(16, false), carbon, bare, carbon, carbon]), 1);
        assert_eq!(ring(&[carbon; 5]), 0);
        assert_eq!(ring(&[(8, false), carbon, carbon, (8, false), carbon, carbon]), 0);
        // Naphthalene: two rings, not the ten around both.
        let mut pairs: Vec<_> = (0..10).map(|i| (i, (i + 1) % 10)).collect();
        pairs.push((0, 5));
        pairs.extend((0..10).filter(|i| i % 5 != 0).zip(10..));
        let numbers: Vec<u8> = [6; 10].into_iter().chain([1; 8]).collect();
        assert_eq!(aromatic(&numbers, &lists(18, &pairs)).len(), 2);
    }

    #[test]
    fn a_chair_is_not_flat_wherever_it_stands() {
        let corner = |i: usize, height: f64| {
            let (sine, cosine) = (f64::from(i as u8) * std::f64::consts::FRAC_PI_3).sin_cos();
            [5.0 + height, 1.4 * cosine, 1.4 * sine]
        };
        for (height, expected) in [(0.0, true), (0.24, true), (0.26, false)] {
            let points: Vec<_> = (0..6).map(|i| corner(i, if i % 2 == 0 { height } else { -height })).collect();
            assert_eq!(flat(&[0, 1, 2, 3, 4, 5], &points, 0.25), expected, "{height}");
        }
    }
}
