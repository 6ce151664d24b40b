//! Group axioms, Haar draws' left invariance of distances, elements from subgroups: for every group.

use crate::common::{B, ROUNDING, Random, axioms, cases, layout, motions, normal, shifts};
use proptest::prelude::*;
use symdiff_groups::testing::gap;
use symdiff_groups::{
    CompactGroup, Cosets, Cyclic, Dihedral, EuclideanGroup, FiniteGroup, Group, LieGroup, MatrixGroup, MetricGroup, Observe, Orthogonal,
    Product, Result, SpecialOrthogonal, Subgroup, Symmetric, Translations,
};
use symdiff_ops::Noise;

fn compact<G: CompactGroup<Element: Observe>>(group: &G, seed: u64) -> Result<f64> {
    let like = normal(&[B], seed)?;
    axioms(group, |seed| group.random(&like, seed), seed)
}

/// d(k·g, k·h) = d(g, h), d(g, g) = 0, and d(g, h) > 0 for different draws of a continuous group.
fn invariant_distance<G: MetricGroup>(group: &G, draw: impl Fn(u64) -> Result<G::Element>, seed: u64) -> Result<f64> {
    let [g, h, k] = [draw(seed)?, draw(seed ^ 1)?, draw(seed ^ 2)?];
    let numbers = |d: candle_core::Tensor| -> Result<Vec<f64>> { Ok(d.to_vec1()?) };
    let before = numbers(group.distance(&g, &h)?)?;
    let after = numbers(group.distance(&group.compose(&k, &g)?, &group.compose(&k, &h)?)?)?;
    let itself = numbers(group.distance(&g, &g)?)?;
    Ok(before.iter().zip(&after).map(|(a, b)| (a - b).abs()).chain(itself).fold(0.0, f64::max))
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn matrix_groups(seed: u64, n in 1..6_usize) {
        prop_assert!(compact(&Orthogonal::new(n), seed)? < ROUNDING);
        prop_assert!(compact(&SpecialOrthogonal::new(n), seed)? < ROUNDING);
    }

    #[test]
    fn finite_groups_hold_exactly(seed: u64, n in 1..9_u32) {
        prop_assert_eq!(compact(&Cyclic::new(n), seed)?, 0.0);
        prop_assert_eq!(compact(&Dihedral::new(n), seed)?, 0.0);
        prop_assert_eq!(compact(&Symmetric::new(n as usize), seed)?, 0.0);
        prop_assert_eq!(compact(&Symmetric::ragged(layout()?), seed)?, 0.0);
        prop_assert_eq!(compact(&Product(Symmetric::new(3), Cyclic::new(n)), seed)?, 0.0);
    }

    #[test]
    fn motions_and_translations(seed: u64, n in 1..4_usize) {
        prop_assert!(axioms(&Translations::new(n), |seed| shifts(n, seed), seed)? < ROUNDING);
        let (all, proper) = (EuclideanGroup::new(n), EuclideanGroup::special(n));
        prop_assert!(axioms(&all, |seed| motions(&all, seed), seed)? < ROUNDING);
        prop_assert!(axioms(&proper, |seed| motions(&proper, seed), seed)? < ROUNDING);
    }

    #[test]
    fn products(seed: u64) {
        prop_assert!(compact(&Product(Orthogonal::new(3), Symmetric::new(5)), seed)? < ROUNDING);
        prop_assert!(compact(&Product(SpecialOrthogonal::new(2), Product(Cyclic::new(4), Dihedral::new(3))), seed)? < ROUNDING);
    }

    #[test]
    fn distances_ignore_translation_from_the_left(seed: u64) {
        let like = normal(&[B], seed)?;
        let (o3, so4, s5, d6, c7) =
            (Orthogonal::new(3), SpecialOrthogonal::new(4), Symmetric::new(5), Dihedral::new(6), Cyclic::new(7));
        prop_assert!(invariant_distance(&o3, |seed| o3.random(&like, seed), seed)? < ROUNDING);
        prop_assert!(invariant_distance(&so4, |seed| so4.random(&like, seed), seed)? < ROUNDING);
        prop_assert_eq!(invariant_distance(&s5, |seed| s5.random(&like, seed), seed)?, 0.0);
        prop_assert_eq!(invariant_distance(&d6, |seed| d6.random(&like, seed), seed)?, 0.0);
        prop_assert_eq!(invariant_distance(&c7, |seed| c7.random(&like, seed), seed)?, 0.0);
        let e3 = EuclideanGroup::new(3);
        prop_assert!(invariant_distance(&e3, |seed| motions(&e3, seed), seed)? < ROUNDING);
    }

    #[test]
    fn exponential_and_logarithm_undo_each_other(seed: u64) {
        let like = normal(&[B], seed)?;
        for n in [2, 3] {
            let group = SpecialOrthogonal::new(n);
            let g = group.haar(&like, Noise::seeded(seed))?;
            let back = group.exp(&group.log(&g)?)?;
            prop_assert!(gap(&back, &g)? < ROUNDING, "SO({}): {:e}", n, gap(&back, &g)?);
            group.element(back.as_tensor())?;
        }
        for n in [2, 3] {
            let (group, product) = (EuclideanGroup::special(n), Product(SpecialOrthogonal::new(3), Translations::new(n)));
            let g = motions(&group, seed)?;
            prop_assert!(gap(&group.exp(&group.log(&g)?)?, &g)? < ROUNDING);
            let pair = product.element(product.0.haar(&like, Noise::seeded(seed))?, shifts(n, seed)?);
            prop_assert!(gap(&product.exp(&product.log(&pair)?)?, &pair)? < ROUNDING);
        }
        let still = SpecialOrthogonal::new(3).exp(&candle_core::Tensor::zeros((B, 3), candle_core::DType::F64, &candle_core::Device::Cpu)?)?;
        prop_assert!(gap(&still, &SpecialOrthogonal::new(3).identity(&like)?)? < ROUNDING);
    }

    /// exp((s + t)·a) = exp(s·a)·exp(t·a), with velocities of every size down to where formulas divide zero by zero.
    #[test]
    fn exponentials_are_one_parameter_subgroups(seed: u64, size in prop::sample::select(vec![1.0, 1e-4, 1e-9, 0.0])) {
        prop_assert!(one_parameter(&SpecialOrthogonal::new(2), seed, size)? < ROUNDING);
        prop_assert!(one_parameter(&SpecialOrthogonal::new(3), seed, size)? < ROUNDING);
        prop_assert!(one_parameter(&Translations::new(4), seed, size)? < ROUNDING);
        prop_assert!(one_parameter(&EuclideanGroup::special(2), seed, size)? < ROUNDING);
        prop_assert!(one_parameter(&EuclideanGroup::special(3), seed, size)? < ROUNDING);
        prop_assert!(one_parameter(&Product(SpecialOrthogonal::new(2), EuclideanGroup::special(3)), seed, size)? < ROUNDING);
    }

    #[test]
    fn embeddings_are_homomorphisms(seed: u64) {
        let like = normal(&[B], seed)?;
        prop_assert!(homomorphism(&Cyclic::new(5), &Orthogonal::new(2), &like, seed)? < ROUNDING);
        prop_assert!(homomorphism(&Dihedral::new(5), &Orthogonal::new(2), &like, seed)? < ROUNDING);
        prop_assert!(homomorphism(&Cyclic::new(3), &Dihedral::new(6), &like, seed)? < ROUNDING);
        prop_assert_eq!(homomorphism(&Cyclic::new(3), &Cyclic::new(12), &like, seed)?, 0.0);
        prop_assert!(homomorphism(&SpecialOrthogonal::new(3), &Orthogonal::new(3), &like, seed)? < ROUNDING);
        prop_assert!(homomorphism(&Orthogonal::new(3), &EuclideanGroup::new(3), &like, seed)? < ROUNDING);
    }
}

/// The gap, for velocities of about the given size.
fn one_parameter<G: LieGroup<Element: Observe>>(group: &G, seed: u64, size: f64) -> Result<f64> {
    let a = (normal(&[B, group.dimension()], seed)? * size)?;
    let at = |t: f64| -> Result<G::Element> { group.exp(&(&a * t)?) };
    gap(&at(0.8)?, &group.compose(&at(0.1)?, &at(0.7)?)?)
}

fn homomorphism<H, G>(subgroup: &H, group: &G, like: &candle_core::Tensor, seed: u64) -> Result<f64>
where
    H: Subgroup<G> + CompactGroup,
    G: Group<Element: Observe>,
{
    let (g, h) = (subgroup.random(like, seed)?, subgroup.random(like, seed ^ 1)?);
    let outside = group.compose(&subgroup.embed(group, &g, like)?, &subgroup.embed(group, &h, like)?)?;
    gap(&subgroup.embed(group, &subgroup.compose(&g, &h)?, like)?, &outside)
}

#[test]
fn finite_groups_list_every_element_once() -> Result<()> {
    fn distinct<G: FiniteGroup<Element: Observe>>(group: &G) -> Result<usize> {
        let mut seen: Vec<Vec<Vec<f64>>> = group.elements(&normal(&[2], 0)?)?.iter().map(Observe::observe).collect::<Result<_>>()?;
        let listed = seen.len();
        seen.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        seen.dedup();
        assert_eq!(seen.len(), listed);
        Ok(listed)
    }
    assert_eq!(distinct(&Cyclic::new(6))?, 6);
    assert_eq!(distinct(&Dihedral::new(4))?, 8);
    assert_eq!(distinct(&Symmetric::new(4))?, 24);
    assert_eq!(distinct(&Product(Cyclic::new(2), Symmetric::new(3)))?, 12);
    assert!(Symmetric::new(9).elements(&normal(&[2], 0)?).is_err());
    Ok(())
}

#[test]
fn cosets_cover_what_the_subgroup_lacks() -> Result<()> {
    let like = normal(&[4000], 0)?;
    let mirrored = Orthogonal::new(3).coset(&SpecialOrthogonal::new(3), &like, Noise::seeded(1))?;
    let share = mirrored.observe()?.iter().filter(|m| m[0] < 0.0).count() as f64 / 4000.0;
    assert!((share - 0.5).abs() < 5.0 * 0.5 / 4000_f64.sqrt(), "five standard errors: {share}");
    let cosets = Dihedral::new(6).coset(&Cyclic::new(3), &like, Noise::seeded(2))?;
    let mut kinds: Vec<(u32, bool)> = cosets.each().collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, [(0, false), (0, true), (1, false), (1, true)]);
    let turns = Cyclic::new(12).coset(&Cyclic::new(4), &like, Noise::seeded(4))?;
    let mut kinds = turns.steps().to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, [0, 1, 2]);
    let sides = EuclideanGroup::new(3).coset(&EuclideanGroup::special(3), &like, Noise::seeded(1))?;
    assert_eq!(gap(sides.linear(), &mirrored)?, 0.0);
    let refused = Cyclic::new(12).coset(&Cyclic::new(5), &like, Noise::seeded(4)).map(drop).map_err(|e| e.to_string());
    assert_eq!(refused, Err("cosets of C_n in C_m: not in dimension 5; it exists for n that divides m".into()));
    let turned = EuclideanGroup::new(3).coset(&Translations::new(3), &like, Noise::seeded(3))?;
    assert_eq!(turned.shift().as_tensor().abs()?.max_all()?.to_scalar::<f64>()?, 0.0);
    Ok(())
}

#[test]
fn what_is_no_element_is_refused_with_the_reason() -> Result<()> {
    let message = |result: Result<()>| result.map_err(|e| e.to_string());
    let mirror = candle_core::Tensor::new(&[[[-1.0, 0.0], [0.0, 1.0_f64]]], &candle_core::Device::Cpu)?;
    assert_eq!(
        message(SpecialOrthogonal::new(2).element(&mirror).map(drop)),
        Err("element of SO(n): sample 0 has determinant -1; use O(n) for reflections".into())
    );
    assert!(Orthogonal::new(2).element(&mirror).is_ok());
    let stretched = message(Orthogonal::new(2).element(&(mirror * 1.1)?).map(drop));
    assert!(stretched.is_err_and(|e| e.contains("departs from orthogonality by 2.1e-1")));
    assert_eq!(
        message(Symmetric::new(3).element(vec![vec![0, 1, 1]]).map(drop)),
        Err("permutation: sample 0 lists [0, 1, 1], which is no permutation of 0..3; name each node once".into())
    );
    assert_eq!(
        message(Cyclic::new(4).element(vec![1, 4]).map(drop)),
        Err("turn: sample 1 makes 4 turns of 4; give a number below 4".into())
    );
    assert_eq!(
        message(Cyclic::new(4).embed(&Orthogonal::new(3), &Cyclic::new(4).element(vec![1])?, &normal(&[1], 0)?).map(drop)),
        Err("turns of the plane as matrices: not in dimension 3; it exists for n = 2".into())
    );
    assert_eq!(Orthogonal::new(3).n(), 3);
    Ok(())
}
