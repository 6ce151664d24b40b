//! Haar draws: moments against exact values, frequencies against the uniform law, and the same numbers for the same seed.
//!
//! Level: each statistic may depart by 4.5 standard errors, two-sided; a correct law fails one test in 1.5·10⁵ per statistic. Seeds are fixed.

use crate::common::normal;
use symdiff_groups::testing::gap;
use symdiff_groups::{CompactGroup, Cyclic, Dihedral, MatrixGroup, Observe, Orthogonal, Result, SpecialOrthogonal, Symmetric};
use symdiff_ops::Noise;

const DRAWS: usize = 20_000;
const SIGMAS: f64 = 4.5;

/// The mean of f over draws lies within its standard errors of `exact`.
fn assert_mean(name: &str, draws: &[Vec<f64>], exact: f64, f: impl Fn(&[f64]) -> f64) {
    let values: Vec<f64> = draws.iter().map(|d| f(d)).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let error = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
    assert!((mean - exact).abs() <= SIGMAS * error, "{name}: {mean} ± {error}, exactly {exact}");
}

fn draws<G: CompactGroup<Element: Observe>>(group: &G, seed: u64) -> Result<Vec<Vec<f64>>> {
    group.haar(&normal(&[DRAWS], 0)?, Noise::seeded(seed))?.observe()
}

/// E[Rᵢⱼ] = 0, E[Rᵢⱼ²] = 1/n, E[Rᵢⱼ⁴] = 3/(n(n + 2)), E[(tr R)²] = 1 for n ≥ 2 (SO(2): 2).
#[test]
fn matrices_have_the_moments_of_haar() -> Result<()> {
    for n in [2, 3, 4] {
        let dimension = n as f64;
        for (name, draws, proper) in [("O", draws(&Orthogonal::new(n), 1)?, false), ("SO", draws(&SpecialOrthogonal::new(n), 2)?, true)] {
            for entry in 0..n * n {
                let name = format!("{name}({n}), entry {entry}");
                assert_mean(&name, &draws, 0.0, |r| r[entry]);
                assert_mean(&name, &draws, 1.0 / dimension, |r| r[entry].powi(2));
                assert_mean(&name, &draws, 3.0 / (dimension * (dimension + 2.0)), |r| r[entry].powi(4));
            }
            let trace = |r: &[f64]| (0..n).map(|i| r[i * (n + 1)]).sum::<f64>();
            assert_mean(&format!("{name}({n}), squared trace"), &draws, if proper && n == 2 { 2.0 } else { 1.0 }, |r| trace(r).powi(2));
        }
    }
    Ok(())
}

/// The rotation angle θ of SO(3) has density (1 − cos θ)/π: E[θ] = π/2 + 2/π.
#[test]
fn the_angle_of_a_rotation_has_its_law() -> Result<()> {
    let angle = |r: &[f64]| ((r[0] + r[4] + r[8] - 1.0) / 2.0).clamp(-1.0, 1.0).acos();
    let exact = std::f64::consts::FRAC_PI_2 + 2.0 / std::f64::consts::PI;
    assert_mean("angle", &draws(&SpecialOrthogonal::new(3), 3)?, exact, angle);
    Ok(())
}

/// Half of O(n) mirrors; none of SO(n) does.
#[test]
fn determinants() -> Result<()> {
    for n in [1, 2, 3, 4, 5] {
        let haar = Orthogonal::new(n).haar(&normal(&[2000], 0)?, Noise::seeded(4))?;
        let proper = (0..2000).filter(|&sample| {
            haar.as_tensor().get(sample).and_then(|m| m.unsqueeze(0)).is_ok_and(|m| SpecialOrthogonal::new(n).element(&m).is_ok())
        });
        let share = proper.count() as f64 / 2000.0;
        assert!((share - 0.5).abs() < SIGMAS * 0.5 / 2000_f64.sqrt(), "O({n}): {share}");
        let so = SpecialOrthogonal::new(n);
        so.element(so.haar(&normal(&[200], 0)?, Noise::seeded(5))?.as_tensor())?;
        assert_eq!(so.n(), n);
    }
    Ok(())
}

/// Every element of a finite group equally often.
#[test]
fn finite_groups_are_uniform() -> Result<()> {
    fn check(name: &str, mut draws: Vec<Vec<f64>>, order: usize) {
        draws.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        let counts: Vec<usize> = draws.chunk_by(|a, b| a == b).map(<[_]>::len).collect();
        assert_eq!(counts.len(), order, "{name}");
        let (p, n) = (1.0 / order as f64, DRAWS as f64);
        let error = (p * (1.0 - p) / n).sqrt();
        for count in counts {
            assert!((count as f64 / n - p).abs() < SIGMAS * error, "{name}: {count} of {DRAWS}");
        }
    }
    check("C_5", draws(&Cyclic::new(5), 6)?, 5);
    check("D_4", draws(&Dihedral::new(4), 7)?, 8);
    check("S_4", draws(&Symmetric::new(4), 8)?, 24);
    Ok(())
}

/// A changed stream is a visible decision.
#[test]
fn the_same_seed_gives_the_same_elements() -> Result<()> {
    let like = normal(&[1], 0)?;
    let turn = Orthogonal::new(2).haar(&like, Noise::seeded(11))?.observe()?;
    let expected = [0.978_859_650_117_379_5, -0.204_533_091_141_950_15, -0.204_533_091_141_950_15, -0.978_859_650_117_379_5];
    assert!(turn[0].iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14), "{turn:?}");
    assert_eq!(Symmetric::new(6).haar(&like, Noise::seeded(11))?.observe()?, [[4.0, 1.0, 2.0, 3.0, 5.0, 0.0]]);
    assert_eq!(Cyclic::new(1000).haar(&like, Noise::seeded(11))?.observe()?, [[823.0]]);
    assert_eq!(Dihedral::new(1000).haar(&like, Noise::seeded(11))?.observe()?, [[647.0, 1.0]]);
    let alone = Orthogonal::new(3).haar(&like, Noise::seeded(12))?;
    let first = Orthogonal::new(3).haar(&normal(&[4], 0)?, Noise::seeded(12))?;
    let first = Orthogonal::new(3).element(&first.as_tensor().narrow(0, 0, 1)?)?;
    assert_eq!(gap(&alone, &first)?, 0.0);
    Ok(())
}
