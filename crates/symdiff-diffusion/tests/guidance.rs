//! Guidance: what it computes, and in which frame.

mod common;

use candle_core::{Device, Tensor};
use common::{Outcome, numbers};
use symdiff_core::testing::LawTest;
use symdiff_core::{Map, MarkovKernel, MarkovKernelExt};
use symdiff_diffusion::{At, Denoiser, Eps, Guidance, Guided, Optional, Times, Unconditional};
use symdiff_groups::{Action, Cloud, Dense, GramSchmidt, Group, Orthogonal, Result as GroupResult};
use symdiff_ops::Noise;

/// A number that is asked of every sample, or none.
#[derive(Clone, Debug, Default)]
struct Wish(Option<f64>);

impl Optional for Wish {
    fn without(&self) -> Self {
        Self(None)
    }

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl<G: Group> Action<G> for Wish {
    fn act(&self, _: &G, _: &G::Element) -> GroupResult<Self> {
        Ok(self.clone())
    }
}

const COPIES: usize = 200;

/// A denoiser that knows up from down, and heeds the wish by `heed`.
fn lopsided(at: &At<Cloud, Wish>, heed: f64) -> symdiff_core::Result<Eps<Cloud>> {
    let x = at.state.tensor();
    let shape = Tensor::new(&[[[1.0, 0.2, 0.0], [0.0, -0.9, 0.5]]], &Device::Cpu)?;
    let wish = (shape * (1.0 + heed * at.given.0.unwrap_or(0.0)))?;
    Ok(Eps(Cloud::new((x.broadcast_sub(&wish)? + (x * 2.0)?.sin()?)?)?))
}

/// Frames, from a network that knows no more of rotations.
fn frames(at: &At<Cloud, Wish>) -> symdiff_core::Result<Tensor> {
    let x = at.state.tensor();
    let third = (x.narrow(1, 0, 1)? * x.narrow(1, 1, 1)?)?.cos()?;
    Ok(Tensor::cat(&[x, &third], 1)?)
}

fn symmetrised<K>(k: K) -> impl Denoiser<Cloud, Wish>
where
    K: Denoiser<Cloud, Wish>,
{
    k.symmetrised(Map::new(frames).charted(Orthogonal::new(3), GramSchmidt::columns()).haar_symmetrised())
}

fn asked(wish: Option<f64>) -> Outcome<At<Cloud, Wish>> {
    let one = Tensor::new(&[[[0.4, -1.0, 0.3], [0.9, 0.1, -0.6]]], &Device::Cpu)?;
    Ok(At { state: Cloud::new(one.repeat((COPIES, 1, 1))?)?, time: Times::Shared(0.5), given: Wish(wish) })
}

/// The planted bug: each prediction in a frame of its own.
fn outside(heed: f64, weight: f64) -> impl Denoiser<Cloud, Wish> {
    let model = symmetrised(Map::new(move |at: &At<Cloud, Wish>| lopsided(at, heed)));
    Two(model, weight)
}

struct Two<K>(K, f64);

impl<K: Denoiser<Cloud, Wish>> MarkovKernel<At<Cloud, Wish>> for Two<K> {
    type Out = Eps<Cloud>;

    fn sample(&self, at: &At<Cloud, Wish>, noise: Noise) -> symdiff_core::Result<Eps<Cloud>> {
        let [first, second] = noise.split();
        let free = At { given: Wish(None), ..at.clone() };
        let [Eps(with), Eps(without)] = [self.0.sample(at, first)?, self.0.sample(&free, second)?];
        Ok(Eps(Cloud::new(((with.tensor() * (1.0 + self.1))? - (without.tensor() * self.1)?)?)?))
    }
}

#[test]
fn guidance_moves_away_from_the_answer_without_the_condition() -> Outcome {
    let k = || Map::new(|at: &At<Cloud, Wish>| lopsided(at, 1.0));
    let said = |kernel: &dyn Denoiser<Cloud, Wish>, at: &At<Cloud, Wish>| -> Outcome<Vec<f64>> {
        numbers(kernel.sample(at, Noise::seeded(1))?.0.tensor())
    };
    let (with, without) = (said(&k(), &asked(Some(2.0))?)?, said(&k(), &asked(None)?)?);
    for weight in [-1.0, 0.0, 1.5] {
        let guided = Guided::new(k(), Guidance::new(weight)?);
        for ((found, with), without) in said(&guided, &asked(Some(2.0))?)?.iter().zip(&with).zip(&without) {
            assert!((found - ((1.0 + weight) * with - weight * without)).abs() < 1e-12, "w = {weight}");
        }
        assert_eq!(said(&guided, &asked(None)?)?, without);
    }
    // Outside its interval guidance is not there: the time here is 0.5.
    for (from, to, there) in [(0.0, 0.4, false), (0.6, 1.0, false), (0.5, 0.5, true)] {
        let guided = Guided::new(k(), Guidance::new(3.0)?.within(from, to)?);
        assert_eq!(said(&guided, &asked(Some(2.0))?)? == with, !there, "{from} to {to}");
    }
    let mixed = At { time: Times::PerSample((0..COPIES).map(|i| if i == 0 { 0.1 } else { 0.5 }).collect()), ..asked(Some(2.0))? };
    let guided = said(&Guided::new(k(), Guidance::new(3.0)?.within(0.4, 1.0)?), &mixed)?;
    assert!(guided[..6] == with[..6] && guided[6..12] != with[6..12]);
    Ok(())
}

#[test]
fn weights_and_times_are_checked() {
    for weight in [f64::NAN, f64::INFINITY, -1.5] {
        assert!(Guidance::new(weight).is_err(), "{weight}");
    }
    for (from, to) in [(0.5, 0.4), (-0.1, 1.0), (0.0, 1.1), (f64::NAN, 1.0), (0.0, f64::NAN)] {
        assert!(Guidance::NONE.within(from, to).is_err(), "{from} to {to}");
    }
}

#[test]
fn a_denoiser_without_a_condition_ignores_what_it_is_given() -> Outcome {
    let plain = Map::new(|at: &At<Cloud>| Ok(Eps(Cloud::new((at.state.tensor() * 2.0)?)?)));
    let at = asked(Some(7.0))?;
    let Eps(said) = Unconditional(plain).sample(&at, Noise::seeded(1))?;
    assert_eq!(numbers(said.tensor())?, numbers(&(at.state.tensor() * 2.0)?)?);
    Ok(())
}

/// Guided and then symmetrised, a kernel is equivariant in law under what is asked.
#[test]
fn a_guided_denoiser_is_equivariant_in_law() -> Outcome {
    let (test, o3, at) = (LawTest::default(), Orthogonal::new(3), asked(Some(0.8))?);
    let guided = || Guided::new(Map::new(|at: &At<Cloud, Wish>| lopsided(at, 1.0)), Guidance::NONE);
    let strong = Guided::new(Map::new(|at: &At<Cloud, Wish>| lopsided(at, 1.0)), Guidance::new(2.0)?);
    let p = test.equivariance(&o3, &symmetrised(strong), &at, Noise::seeded(4))?.p_value;
    assert!(p > 0.01, "p = {p}");
    let p = test.equivariance(&o3, &guided(), &at, Noise::seeded(4))?.p_value;
    assert!(p < 0.01, "a kernel without frames passes, p = {p}");
    Ok(())
}

/// p of the hypothesis that guidance leaves the law of a denoiser that ignores its condition as it is.
fn unmoved(guided: &dyn Denoiser<Cloud, Wish>, seed: u64) -> Outcome<f64> {
    let (plain, at) = (symmetrised(Map::new(|at: &At<Cloud, Wish>| lopsided(at, 0.0))), asked(Some(0.8))?);
    let (of_plain, of_guided) = (|noise| plain.sample(&at, noise), |noise| guided.sample(&at, noise));
    Ok(LawTest::default().agreement(of_plain, of_guided, Noise::seeded(seed))?.p_value)
}

fn inside() -> Outcome<impl Denoiser<Cloud, Wish>> {
    Ok(symmetrised(Guided::new(Map::new(|at: &At<Cloud, Wish>| lopsided(at, 0.0)), Guidance::new(1.0)?)))
}

/// Where both predictions are made in one frame, guidance of a kernel that ignores the condition is that kernel in law. In two frames it is not: the difference of the frames stays.
#[test]
fn guidance_is_inside_the_frame() -> Outcome {
    let p = unmoved(&inside()?, 5)?;
    assert!(p > 0.01, "p = {p}");
    let p = unmoved(&outside(0.0, 1.0), 5)?;
    assert!(p < 0.01, "two frames pass, p = {p}");
    Ok(())
}

/// How often the test of the frame rejects, at level 1 %: the planted bug, and what is right.
#[test]
#[ignore = "two times two hundred tests; docs/src/conditions.md has the figures"]
fn two_frames_are_rejected_in_95_of_100_runs() -> Outcome {
    let rejections = |guided: &dyn Denoiser<Cloud, Wish>| -> Outcome<usize> {
        (0..200).map(|seed| Ok(usize::from(unmoved(guided, 100 + seed)? < 0.01))).sum()
    };
    let (right, planted) = (rejections(&inside()?)?, rejections(&outside(0.0, 1.0))?);
    println!("of 200 runs: {planted} reject two frames, {right} reject one");
    assert!(planted >= 190 && right <= 8, "{planted} and {right}");
    Ok(())
}
