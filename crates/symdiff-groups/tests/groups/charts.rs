//! Charts land on their group, commute with it as they say, and have right gradients.

use crate::common::{B, ROUNDING, Random, cases, normal};
use candle_core::{DType, Tensor, Var};
use proptest::prelude::*;
use symdiff_groups::testing::gap;
use symdiff_groups::{
    Action, Argmax, Argsort, Chart, Cyclic, Dense, Dihedral, GramSchmidt, Group, Matrices, MatrixGroup, Observe, Orthogonal, Polar,
    Quaternion, Result, Set, SixD, SpecialOrthogonal, Symmetric,
};

/// Products of raw matrices with elements, which only a test may form.
fn times(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    Ok(a.matmul(b)?)
}

fn left<G: MatrixGroup + symdiff_groups::CompactGroup>(group: &G, chart: &impl Chart<G>, seed: u64) -> Result<f64> {
    let raw = normal(&[B, group.n(), group.n()], seed)?;
    let g = group.random(&raw, seed ^ 1)?;
    gap(&chart.project(group, &times(g.as_tensor(), &raw)?)?, &group.compose(&g, &chart.project(group, &raw)?)?)
}

fn right<G: MatrixGroup + symdiff_groups::CompactGroup>(group: &G, chart: &impl Chart<G>, seed: u64) -> Result<f64> {
    let raw = normal(&[B, group.n(), group.n()], seed)?;
    let g = group.random(&raw, seed ^ 1)?;
    gap(&chart.project(group, &times(&raw, g.as_tensor())?)?, &group.compose(&chart.project(group, &raw)?, &g)?)
}

/// Conditioning of normal matrices: one in a thousand costs four digits.
const LOOSE: f64 = 1e-8;

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn gram_schmidt(seed: u64, n in 1..5_usize) {
        let (o, so) = (Orthogonal::new(n), SpecialOrthogonal::new(n));
        prop_assert!(left(&o, &GramSchmidt::columns(), seed)? < LOOSE);
        prop_assert!(left(&so, &GramSchmidt::columns(), seed)? < LOOSE);
        prop_assert!(right(&o, &GramSchmidt::rows(), seed)? < LOOSE);
        prop_assert!(right(&so, &GramSchmidt::rows(), seed)? < LOOSE);
        let raw = normal(&[B, n, n], seed)?;
        o.element(GramSchmidt::columns().project(&o, &raw)?.as_tensor())?;
        so.element(GramSchmidt::rows().project(&so, &raw)?.as_tensor())?;
    }

    #[test]
    fn polar_is_equivariant_on_both_sides(seed: u64, n in 2..5_usize) {
        let o = Orthogonal::new(n);
        prop_assert!(left(&o, &Polar, seed)? < LOOSE);
        prop_assert!(right(&o, &Polar, seed)? < LOOSE);
        o.element(Polar.project(&o, &normal(&[B, n, n], seed)?)?.as_tensor())?;
        if n < 4 {
            let so = SpecialOrthogonal::new(n);
            prop_assert!(left(&so, &Polar, seed)? < 1e-6);
            prop_assert!(right(&so, &Polar, seed)? < 1e-6);
            so.element(Polar.project(&so, &normal(&[B, n, n], seed)?)?.as_tensor())?;
        }
    }

    #[test]
    fn polar_is_the_nearest_rotation(seed: u64) {
        let so3 = SpecialOrthogonal::new(3);
        let raw = normal(&[1, 3, 3], seed)?;
        let far = |g: &Matrices| -> Result<f64> { Ok((g.as_tensor() - &raw)?.sqr()?.sum_all()?.to_scalar()?) };
        let nearest = far(&Polar.project(&so3, &raw)?)?;
        for other in 0..20 {
            prop_assert!(nearest <= far(&so3.random(&raw, seed ^ other)?)? + 1e-12);
        }
    }

    #[test]
    fn six_numbers_and_quaternions(seed: u64) {
        let so3 = SpecialOrthogonal::new(3);
        let raw = normal(&[B, 2, 3], seed)?;
        let g = so3.random(&raw, seed ^ 1)?;
        let moved = times(&raw, &g.as_tensor().transpose(1, 2)?.contiguous()?)?;
        let before = SixD.project(&so3, &raw.reshape((B, 6))?)?;
        let after = SixD.project(&so3, &moved.reshape((B, 6))?)?;
        prop_assert!(gap(&after, &so3.compose(&g, &before)?)? < LOOSE);
        so3.element(before.as_tensor())?;

        let (p, q) = (normal(&[B, 4], seed)?, normal(&[B, 4], seed ^ 3)?);
        let product = Quaternion.project(&so3, &hamilton(&p, &q)?)?;
        let in_turn = so3.compose(&Quaternion.project(&so3, &p)?, &Quaternion.project(&so3, &q)?)?;
        prop_assert!(gap(&product, &in_turn)? < ROUNDING);
        prop_assert!(gap(&Quaternion.project(&so3, &q.neg()?)?, &Quaternion.project(&so3, &q)?)? < ROUNDING);
        so3.element(product.as_tensor())?;
    }

    #[test]
    fn sorting_follows_permutations(seed: u64) {
        let group = Symmetric::new(5);
        let scores = Set::new(normal(&[B, 5, 1], seed)?)?;
        let g = group.random(&scores, seed ^ 1)?;
        let of = |x: &Set| Argsort.project(&group, &x.tensor().reshape((B, 5))?);
        prop_assert_eq!(of(&scores.act(&group, &g)?)?, group.compose(&g, &of(&scores)?)?);
        let sorted = scores.act(&group, &group.inverse(&of(&scores)?)?)?.observe()?;
        prop_assert!(sorted.iter().all(|row| row.is_sorted()));
    }
}

/// p·q of quaternions `[B, 4]`.
fn hamilton(p: &Tensor, q: &Tensor) -> Result<Tensor> {
    let (p, q): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (p.to_vec2()?, q.to_vec2()?);
    let product = |p: &[f64], q: &[f64]| {
        [
            p[0] * q[0] - p[1] * q[1] - p[2] * q[2] - p[3] * q[3],
            p[0] * q[1] + p[1] * q[0] + p[2] * q[3] - p[3] * q[2],
            p[0] * q[2] - p[1] * q[3] + p[2] * q[0] + p[3] * q[1],
            p[0] * q[3] + p[1] * q[2] - p[2] * q[1] + p[3] * q[0],
        ]
    };
    Ok(Tensor::from_vec(p.iter().zip(&q).flat_map(|(p, q)| product(p, q)).collect::<Vec<_>>(), (p.len(), 4), &candle_core::Device::Cpu)?)
}

/// The slope of ⟨weights, f(raw)⟩ in every raw number, against central differences.
fn check_gradient<G: Group<Element = Matrices>>(group: &G, chart: &impl Chart<G>, shape: &[usize], seed: u64) -> Result<()> {
    let raw = normal(shape, seed)?;
    let weights = normal(&[shape[0], 3, 3], seed ^ 1)?;
    let loss = |raw: &Tensor| -> Result<Tensor> { Ok((chart.project(group, raw)?.as_tensor() * &weights)?.sum_all()?) };
    let var = Var::from_tensor(&raw)?;
    let gradients = loss(var.as_tensor())?.backward()?;
    let gradient: Vec<f64> = gradients.get(&var).unwrap_or(&raw.zeros_like()?).flatten_all()?.to_vec1()?;
    let flat: Vec<f64> = raw.flatten_all()?.to_vec1()?;
    for (at, &slope) in gradient.iter().enumerate() {
        let bumped = |step: f64| -> Result<f64> {
            let mut values = flat.clone();
            values[at] += step;
            Ok(loss(&Tensor::from_vec(values, shape, &candle_core::Device::Cpu)?)?.to_scalar()?)
        };
        let difference = (bumped(1e-6)? - bumped(-1e-6)?) / 2e-6;
        assert!((difference - slope).abs() < 1e-6 * (1.0 + slope.abs()), "entry {at}: {difference} against {slope}");
    }
    Ok(())
}

#[test]
fn gradients() -> Result<()> {
    let (o3, so3) = (Orthogonal::new(3), SpecialOrthogonal::new(3));
    check_gradient(&o3, &GramSchmidt::columns(), &[2, 3, 3], 1)?;
    check_gradient(&so3, &GramSchmidt::rows(), &[2, 3, 3], 2)?;
    check_gradient(&so3, &SixD, &[2, 6], 3)?;
    check_gradient(&so3, &Quaternion, &[2, 4], 4)?;
    check_gradient(&o3, &Polar, &[2, 3, 3], 5)?;
    check_gradient(&so3, &Polar, &[2, 3, 3], 6)
}

#[test]
fn raw_numbers_that_name_no_element_are_refused() -> Result<()> {
    let (o3, so3) = (Orthogonal::new(3), SpecialOrthogonal::new(3));
    let zeros = Tensor::zeros((2, 3, 3), DType::F32, &candle_core::Device::Cpu)?;
    let message = |result: Result<Matrices>| result.map(drop).map_err(|e| e.to_string());
    let singular = "Gram-Schmidt chart of O(n): sample 0 has a matrix that is singular or not finite; check the network that made it";
    assert_eq!(message(GramSchmidt::columns().project(&o3, &zeros)), Err(singular.into()));
    assert!(GramSchmidt::columns().project(&so3, &zeros).is_err());
    assert!(Polar.project(&o3, &zeros).is_err());
    assert!(Polar.project(&so3, &zeros).is_err());
    assert!(Quaternion.project(&so3, &zeros.reshape((2, 9))?.narrow(1, 0, 4)?).is_err());
    assert!(Quaternion.project(&SpecialOrthogonal::new(2), &zeros).is_err());
    assert_eq!(
        message(GramSchmidt::columns().project(&o3, &zeros.narrow(1, 0, 2)?)),
        Err("Gram-Schmidt chart of O(n): shape [2, 2, 3], expected [B, 3, 3] or [B, 9]".into())
    );
    Ok(())
}

#[test]
fn logits_choose_finite_elements_and_lose_no_gradient_silently() -> Result<()> {
    let logits = Tensor::new(&[[0.0, 3.0, 1.0, 2.0_f64]], &candle_core::Device::Cpu)?;
    assert_eq!(Argmax.project(&Cyclic::new(4), &logits)?.steps(), [1]);
    assert_eq!(Argmax.project(&Dihedral::new(2), &logits)?.each().next(), Some((1, false)));
    let tracked = Var::from_tensor(&logits)?;
    let refused = Argmax.project(&Cyclic::new(4), tracked.as_tensor()).map(drop).map_err(|e| e.to_string());
    assert_eq!(refused, Err("argmax chart of C_n: has no derivative, but its input is tracked; detach it".into()));
    assert!(Argsort.project(&Symmetric::new(4), tracked.as_tensor()).is_err());
    Ok(())
}
