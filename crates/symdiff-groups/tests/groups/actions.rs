//! Action laws for every pair of a group and a state, exact for finite groups on grids and lists.

use crate::common::{B, ROUNDING, Random, action, cases, layout, motions, normal, shifts};
use candle_core::Tensor;
use proptest::prelude::*;
use symdiff_groups::testing::gap;
use symdiff_groups::{
    Action, Centred, Cloud, CompactGroup, Cyclic, Dense, Dihedral, EuclideanGroup, Field, Fixed, Graph, Group, Image, MatrixGroup, Observe,
    Orthogonal, Points, Product, Result, Sequence, Set, SpecialOrthogonal, Symmetric, Translations, Vectors,
};
use symdiff_ops::{Batched, Noise};

/// The law for a compact group.
fn law<G: CompactGroup, X: Action<G> + Observe + Batched>(group: &G, x: &X, seed: u64) -> Result<f64> {
    action(group, x, |seed| group.random(x, seed), seed)
}

fn points(n: usize, seed: u64) -> Result<Points> {
    Points::new(normal(&[layout()?.nodes(), n], seed)?, layout()?)
}

fn fields(n: usize, seed: u64) -> Result<[Field; 4]> {
    let (layout, nodes) = (layout()?, layout()?.nodes());
    Ok([
        Field::scalars(normal(&[nodes, 2], seed)?, layout.clone())?,
        Field::vectors(normal(&[nodes, 2, n], seed)?, layout.clone())?,
        Field::pseudovectors(normal(&[nodes, 2, n], seed)?, layout.clone())?,
        Field::tensors(normal(&[nodes, 2, n, n], seed)?, layout)?,
    ])
}

fn matrices_on_everything<G: MatrixGroup + CompactGroup>(group: &G, seed: u64) -> Result<f64> {
    let n = group.n();
    let mut worst = law(group, &points(n, seed)?, seed)?
        .max(law(group, &Cloud::new(normal(&[B, 4, n], seed)?)?, seed)?)
        .max(law(group, &Vectors::new(normal(&[B, n], seed)?)?, seed)?)
        .max(law(group, &(points(n, seed)?, Fixed(normal(&[B, 2], seed)?)), seed)?);
    for field in fields(n, seed)? {
        worst = worst.max(law(group, &field, seed)?);
    }
    Ok(worst)
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn matrices(seed: u64, n in 1..5_usize) {
        prop_assert!(matrices_on_everything(&Orthogonal::new(n), seed)? < ROUNDING);
        prop_assert!(matrices_on_everything(&SpecialOrthogonal::new(n), seed)? < ROUNDING);
    }

    #[test]
    fn permutations_are_exact(seed: u64, n in 1..7_usize) {
        let group = Symmetric::new(n);
        prop_assert_eq!(law(&group, &Set::new(normal(&[B, n, 2], seed)?)?, seed)?, 0.0);
        prop_assert_eq!(law(&group, &Cloud::new(normal(&[B, n, 3], seed)?)?, seed)?, 0.0);
        prop_assert_eq!(law(&group, &Graph::new(normal(&[B, n, 2], seed)?, normal(&[B, n, n, 1], seed)?)?, seed)?, 0.0);
        let group = Symmetric::ragged(layout()?);
        prop_assert_eq!(law(&group, &points(3, seed)?, seed)?, 0.0);
        for field in fields(3, seed)? {
            prop_assert_eq!(law(&group, &field, seed)?, 0.0);
        }
    }

    #[test]
    fn grids_and_sequences_are_exact(seed: u64) {
        let square = Image::new(normal(&[B, 2, 5, 5], seed)?)?;
        for n in [1, 2, 4] {
            prop_assert_eq!(law(&Cyclic::new(n), &square, seed)?, 0.0);
            prop_assert_eq!(law(&Dihedral::new(n), &square, seed)?, 0.0);
        }
        let oblong = Image::new(normal(&[B, 1, 3, 4], seed)?)?;
        prop_assert_eq!(law(&Dihedral::new(2), &oblong, seed)?, 0.0);
        prop_assert_eq!(law(&Cyclic::new(6), &Sequence::new(normal(&[B, 12, 2], seed)?)?, seed)?, 0.0);
    }

    #[test]
    fn the_plane_turns(seed: u64, n in 1..7_u32) {
        prop_assert!(law(&Cyclic::new(n), &points(2, seed)?, seed)? < ROUNDING);
        prop_assert!(law(&Dihedral::new(n), &Cloud::new(normal(&[B, 3, 2], seed)?)?, seed)? < ROUNDING);
        prop_assert!(law(&Dihedral::new(n), &Vectors::new(normal(&[B, 2], seed)?)?, seed)? < ROUNDING);
    }

    #[test]
    fn motions_move_points_and_turn_the_rest(seed: u64, n in 2..4_usize) {
        let (all, proper, shift) = (EuclideanGroup::new(n), EuclideanGroup::special(n), Translations::new(n));
        let (ragged, cloud) = (points(n, seed)?, Cloud::new(normal(&[B, 4, n], seed)?)?);
        prop_assert!(action(&all, &ragged, |seed| motions(&all, seed), seed)? < ROUNDING);
        prop_assert!(action(&proper, &cloud, |seed| motions(&proper, seed), seed)? < ROUNDING);
        prop_assert!(action(&shift, &cloud, |seed| shifts(n, seed), seed)? < ROUNDING);
        prop_assert!(action(&shift, &ragged, |seed| shifts(n, seed), seed)? < ROUNDING);
        for field in fields(n, seed)? {
            prop_assert!(action(&all, &field, |seed| motions(&all, seed), seed)? < ROUNDING);
        }
        let g = shifts(n, seed)?;
        prop_assert!(gap(&ragged.act(&shift, &g)?.centre()?, &ragged.centre()?.act(&shift, &g)?)? < ROUNDING);
        prop_assert!(gap(&cloud.act(&shift, &g)?.centre()?, &cloud.centre()?.act(&shift, &g)?)? < ROUNDING);
    }

    #[test]
    fn products_act_in_either_order(seed: u64) {
        let group = Product(Orthogonal::new(3), Symmetric::new(4));
        let cloud = Cloud::new(normal(&[B, 4, 3], seed)?)?;
        prop_assert!(law(&group, &cloud, seed)? < ROUNDING);
        let g = group.haar(&cloud, Noise::seeded(seed))?;
        let other_order = cloud.act(&group.0, g.first())?.act(&group.1, g.second())?;
        prop_assert!(gap(&cloud.act(&group, &g)?, &other_order)? < ROUNDING);
    }
}

/// What each generator does to a picture, spelled out.
#[test]
fn a_quarter_turn_is_counter_clockwise_and_a_mirror_turns_upside_down() -> Result<()> {
    let picture = Image::new(Tensor::new(&[[[[1.0, 2.0], [3.0, 4.0_f64]]]], &candle_core::Device::Cpu)?)?;
    let c4 = Cyclic::new(4);
    assert_eq!(picture.act(&c4, &c4.element(vec![1])?)?.observe()?, [[2.0, 4.0, 1.0, 3.0]]);
    let d4 = Dihedral::new(4);
    assert_eq!(picture.act(&d4, &d4.element(vec![(0, true)])?)?.observe()?, [[3.0, 4.0, 1.0, 2.0]]);
    let shifted = Sequence::new(Tensor::new(&[[[1.0], [2.0], [3.0_f64]]], &candle_core::Device::Cpu)?)?;
    let c3 = Cyclic::new(3);
    assert_eq!(shifted.act(&c3, &c3.element(vec![1])?)?.observe()?, [[3.0, 1.0, 2.0]]);
    let set = Set::new(Tensor::new(&[[[10.0], [20.0], [30.0_f64]]], &candle_core::Device::Cpu)?)?;
    let s3 = Symmetric::new(3);
    assert_eq!(set.act(&s3, &s3.element(vec![vec![1, 2, 0]])?)?.observe()?, [[30.0, 10.0, 20.0]]);
    Ok(())
}

/// A mirror image flips a polar vector along its axis and leaves an axial one.
#[test]
fn pseudovectors_ignore_a_mirror_across_them() -> Result<()> {
    let layout = symdiff_ops::Ragged::from_sizes(&[1])?;
    let along = Tensor::new(&[[[1.0, 0.0, 0.0_f64]]], &candle_core::Device::Cpu)?;
    let mirror = Tensor::new(&[[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0_f64]]], &candle_core::Device::Cpu)?;
    let (o3, polar) = (Orthogonal::new(3), Field::vectors(along.clone(), layout.clone())?);
    let g = o3.element(&mirror)?;
    assert_eq!(polar.act(&o3, &g)?.observe()?, [[-1.0, 0.0, 0.0]]);
    assert_eq!(Field::pseudovectors(along, layout)?.act(&o3, &g)?.observe()?, [[1.0, 0.0, 0.0]]);
    Ok(())
}

#[test]
fn batches_that_do_not_fit_are_refused() -> Result<()> {
    let o3 = Orthogonal::new(3);
    let g = o3.identity(&normal(&[2], 0)?)?;
    let message = points(3, 0)?.act(&o3, &g).map(drop).map_err(|e| e.to_string());
    assert_eq!(message, Err("rotation of points: 2 group elements for 3 samples; give one element per sample".into()));
    let c4 = Cyclic::new(4);
    let oblong = Image::new(normal(&[1, 1, 2, 3], 0)?)?;
    assert!(oblong.act(&c4, &c4.element(vec![1])?).is_err());
    let c8 = Cyclic::new(8);
    assert!(oblong.act(&c8, &c8.element(vec![1])?).is_err());
    Ok(())
}
