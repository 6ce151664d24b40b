//! Pairs of data and noise: aligned ones against brute force, their laws, and a bug that breaks them.

mod common;

use candle_core::{DType, Device, Tensor};
use common::Outcome;
use symdiff_core::testing::{LawTest, two_sample};
use symdiff_core::{Error, MarkovKernel};
use symdiff_diffusion::{Aligned, Assignment, Coupled, Coupling, Independent, Kabsch, Turned};
use symdiff_groups::{
    Action, Chart, CompactGroup, Group, Matrices, MatrixGroup, MetricGroup, Observe, Orthogonal, Points, Polar, SpecialOrthogonal,
    Symmetric,
};
use symdiff_ops::{Euclidean, Noise, Ragged, Samples};

fn cloud(sizes: &[usize], n: usize, seed: u64) -> Outcome<Points> {
    let layout = Ragged::from_sizes(sizes)?;
    Ok(Points::new(Noise::seeded(seed).normal_nodes(&layout, n, DType::F64, &Device::Cpu)?, layout)?)
}

/// The reading of a state that is nothing but points.
#[allow(clippy::unnecessary_wraps, reason = "an aligner takes readings that may fail")]
fn own(x: &Points) -> Result<Points, Error> {
    Ok(x.clone())
}

/// |x − y|² of each sample.
fn distances(x: &Points, y: &Points) -> Outcome<Vec<f64>> {
    let one = Tensor::ones(x.layout().len(), DType::F64, &Device::Cpu)?;
    Ok(x.combine(&one, y, &one.neg()?)?.squared_norms()?.to_vec1()?)
}

#[test]
fn no_rotation_brings_data_closer_than_kabsch() -> Outcome {
    let sizes = [1, 2, 3, 7];
    let (x, y) = (cloud(&sizes, 3, 1)?, cloud(&sizes, 3, 2)?);
    check(&Orthogonal::new(3), &x, &y)?;
    check(&SpecialOrthogonal::new(3), &x, &y)
}

/// `kabsch` against 300 Haar draws.
fn check<G>(group: &G, x: &Points, y: &Points) -> Outcome
where
    G: CompactGroup<Element = Matrices> + MatrixGroup,
    Polar: Chart<G>,
{
    let pair = (x.clone(), y.clone());
    let g = Kabsch::new(group.clone(), own).sample(&pair, Noise::seeded(3))?;
    let nearest = distances(&x.act(group, &g)?, y)?;
    for noise in Noise::seeded(4).repeats(300) {
        let other = distances(&x.act(group, &group.haar(x, noise)?)?, y)?;
        assert!(nearest.iter().zip(&other).all(|(near, far)| *near < far + 1e-4), "{nearest:?}, but {other:?} is possible");
    }
    Ok(())
}

/// g(x, h·y) = h·g(x, y), on which the law of aligned pairs rests; for clouds that fix their rotation.
#[test]
fn kabsch_turns_with_the_noise() -> Outcome {
    let o3 = Orthogonal::new(3);
    let (x, y) = (cloud(&[4, 6], 3, 1)?, cloud(&[4, 6], 3, 2)?);
    let h = o3.haar(&x, Noise::seeded(5))?;
    let kabsch = Kabsch::new(o3, own);
    let still = kabsch.sample(&(x.clone(), y.clone()), Noise::seeded(3))?;
    let moved = kabsch.sample(&(x, y.act(&o3, &h)?), Noise::seeded(3))?;
    let gap: Vec<f64> = o3.distance(&moved, &o3.compose(&h, &still)?)?.to_vec1()?;
    assert!(gap.iter().all(|gap| *gap < 1e-4), "{gap:?}");
    Ok(())
}

/// Overlaps of rank 2 and 1: the nudge alone decides, and is sometimes tiny.
#[test]
fn planar_and_linear_clouds_have_a_rotation_at_every_draw() -> Outcome {
    for flat in [[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]] {
        let flatten = |x: Points| -> Outcome<Points> {
            let scale = Tensor::new(&flat, &Device::Cpu)?;
            Ok(Points::new(x.positions().broadcast_mul(&scale)?, x.layout().clone())?)
        };
        let sizes = vec![3; 100_000];
        let pair = (flatten(cloud(&sizes, 3, 1)?)?, flatten(cloud(&sizes, 3, 2)?)?);
        let o3 = Orthogonal::new(3);
        let g = Kabsch::new(o3, own).sample(&pair, Noise::seeded(3))?;
        let gap: f64 = o3.distance(&o3.compose(&o3.inverse(&g)?, &g)?, &o3.identity(&pair.0)?)?.max(0)?.to_scalar()?;
        assert!(gap < 1e-4, "{gap}");
    }
    Ok(())
}

#[test]
fn pairs_of_different_sizes_are_refused() -> Outcome {
    let pair = (cloud(&[2, 3], 3, 1)?, cloud(&[3, 2], 3, 2)?);
    let message = |refused: Option<Error>| refused.map(|error| error.to_string());
    for refused in [
        message(Kabsch::new(Orthogonal::new(3), own).sample(&pair, Noise::seeded(3)).err()),
        message(Assignment::new(own).sample(&pair, Noise::seeded(3)).err()),
    ] {
        assert!(refused.as_ref().is_some_and(|refused| refused.contains("[3, 2]") && refused.contains("[2, 3]")), "{refused:?}");
    }
    Ok(())
}

#[test]
fn no_permutation_brings_data_closer_than_the_assignment() -> Outcome {
    let sizes = [1, 2, 5];
    let (x, y) = (cloud(&sizes, 3, 1)?, cloud(&sizes, 3, 2)?);
    let group = Symmetric::ragged(x.layout().clone());
    let g = Assignment::new(own).sample(&(x.clone(), y.clone()), Noise::seeded(3))?;
    let nearest = distances(&x.act(&group, &g)?, &y)?;
    let mut least = vec![f64::INFINITY; sizes.len()];
    for images in permutations(5) {
        let cut = |n: usize| images.iter().copied().filter(|&image| image < n as u32).collect::<Vec<_>>();
        let g = group.element(sizes.map(cut).to_vec())?;
        let here = distances(&x.act(&group, &g)?, &y)?;
        least.iter_mut().zip(here).for_each(|(least, here)| *least = least.min(here));
    }
    for (near, least) in nearest.iter().zip(&least) {
        assert!((near - least).abs() < 1e-9, "{near} by assignment, {least} by trying all");
    }
    Ok(())
}

fn permutations(n: u32) -> Vec<Vec<u32>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let insert = |shorter: Vec<u32>| (0..n as usize).map(move |at| [&shorter[..at], &[n - 1], &shorter[at..]].concat());
    permutations(n - 1).into_iter().flat_map(insert).collect()
}

/// Draws of a coupling for copies of one lopsided molecule in one pose: as far from an invariant law as data can be.
fn pairs(coupling: &dyn Coupling<Points>, noise: Noise) -> Result<Coupled<Points>, Error> {
    let rows = [[1.5, 0.0], [-0.5, 0.3], [-1.0, -0.3]];
    let copies = 150;
    let layout = Ragged::new(&vec![3; copies], Samples::numbered(copies))?;
    let positions = Tensor::new(&rows, &Device::Cpu)?.repeat((copies, 1))?;
    Ok(coupling.pair(&Points::new(positions, layout)?, &(), noise)?)
}

#[test]
fn aligned_pairs_have_an_invariant_law_and_normal_noise() -> Outcome {
    let (so2, test) = (SpecialOrthogonal::new(2), LawTest::default());
    let turned = || Aligned::new(move |_: &Points| so2, Kabsch::new(so2, own));
    let permuted = Aligned::new(|x: &Points| Symmetric::ragged(x.layout().clone()), Assignment::new(own));
    let couplings: [(&str, Box<dyn Coupling<Points>>); 2] = [
        ("aligned", Box::new(turned())),
        ("permuted, then aligned, then turned", Box::new(Turned::new(move |_: &Points| so2, turned().after(permuted)))),
    ];
    for (name, coupling) in couplings {
        let joint = |noise| pairs(&*coupling, noise).map(|pair| (pair.clean, pair.eps));
        let p = test.invariance(&so2, joint, Noise::seeded(100))?.p_value;
        assert!(p > 0.01, "{name}: pairs are not invariant, p = {p}");

        let aligned = pairs(&*coupling, Noise::seeded(7))?;
        let free = pairs(&Independent, Noise::seeded(8))?;
        let generator = Noise::seeded(9).generator();
        let p = two_sample(&aligned.eps.observe()?, &free.eps.observe()?, 299, generator)?.p_value;
        assert!(p > 0.01, "{name}: the noise is not normal, p = {p}");

        let mean = |pair: &Coupled<Points>| -> Outcome<f64> { Ok(distances(&pair.clean, &pair.eps)?.iter().sum::<f64>()) };
        assert!(mean(&aligned)? < 0.8 * mean(&free)?, "{name}: aligned pairs lie no closer");
    }
    Ok(())
}

/// The planted bug: the noise is turned to the data, which are not averaged over the group.
struct NoiseToData;

impl Coupling<Points> for NoiseToData {
    fn pair(&self, clean: &Points, given: &(), noise: Noise) -> symdiff_diffusion::Result<Coupled<Points>> {
        let so2 = SpecialOrthogonal::new(2);
        let Coupled { clean: turned, given, eps } = Aligned::new(move |_: &Points| so2, Kabsch::new(so2, own)).pair(clean, given, noise)?;
        let g = Kabsch::new(so2, own).sample(&(turned, clean.clone()), Noise::seeded(0))?;
        Ok(Coupled { clean: clean.clone(), given, eps: eps.act(&so2, &g)? })
    }
}

/// p-values of two laws that a coupling should have: pairs invariant, and noise normal.
fn laws(coupling: &dyn Coupling<Points>) -> Outcome<[f64; 2]> {
    let (so2, test) = (SpecialOrthogonal::new(2), LawTest::default());
    let joint = |noise| pairs(coupling, noise).map(|pair| (pair.clean, pair.eps));
    let invariant = test.invariance(&so2, joint, Noise::seeded(6))?.p_value;
    let [aligned, free] = [pairs(coupling, Noise::seeded(7))?, pairs(&Independent, Noise::seeded(8))?];
    let normal = two_sample(&aligned.eps.observe()?, &free.eps.observe()?, 299, Noise::seeded(9).generator())?.p_value;
    Ok([invariant, normal])
}

#[test]
fn noise_moved_to_data_is_rejected_until_both_are_turned() -> Outcome {
    let [invariant, normal] = laws(&NoiseToData)?;
    assert!(invariant < 0.01, "pairs in one pose pass for invariant, p = {invariant}");
    assert!(normal < 0.01, "noise in the pose of the data passes for normal, p = {normal}");
    let so2 = SpecialOrthogonal::new(2);
    let [invariant, normal] = laws(&Turned::new(move |_: &Points| so2, NoiseToData))?;
    assert!(invariant > 0.01 && normal > 0.01, "turned pairs: p = {invariant} and {normal}");
    Ok(())
}

/// What a condition is made of moves with the data.
#[test]
fn conditions_move_with_the_data() -> Outcome {
    let o3 = Orthogonal::new(3);
    let x = cloud(&[4, 6], 3, 1)?;
    let pair = Aligned::new(move |_: &Points| o3, Kabsch::new(o3, own)).pair(&x, &x, Noise::seeded(2))?;
    assert_eq!(pair.clean.observe()?, pair.given.observe()?);
    assert_ne!(pair.clean.observe()?, x.observe()?);
    Ok(())
}
