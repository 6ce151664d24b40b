//! Models that are given fixed atoms: they read them, and turn with them in law.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{TestResult, completing, first_atoms, shaken};
use symdiff_core::MarkovKernel;
use symdiff_core::testing::LawTest;
use symdiff_diffusion::{At, Eps, Times};
use symdiff_groups::Orthogonal;
use symdiff_models::models::MoleculeDenoiser;
use symdiff_models::{Asked, Model};
use symdiff_mol::data::embedded;
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Noise, Samples};

const COPIES: usize = 100;
/// Atoms that are fixed: the first ones of each copy.
const FIXED: usize = 5;

fn copies(place: usize) -> Result<Molecules, Box<dyn std::error::Error>> {
    Ok(Encoding::qm9().encode(embedded(), &[place; COPIES], Samples::numbered(COPIES), DType::F32, &Device::Cpu)?)
}

fn part(clean: &Molecules) -> Result<Molecules, Box<dyn std::error::Error>> {
    first_atoms(clean, FIXED)
}

/// A planted bug: whatever pose it is asked in, the fixed atoms are those of the first.
struct Unmoved(MoleculeDenoiser, Asked);

impl MarkovKernel<At<Molecules, Asked>> for Unmoved {
    type Out = Eps<Molecules>;

    fn sample(&self, at: &At<Molecules, Asked>, noise: Noise) -> symdiff_core::Result<Eps<Molecules>> {
        let At { state, time, .. } = at;
        self.0.sample(&At { state: state.clone(), time: time.clone(), given: self.1.clone() }, noise)
    }
}

#[test]
fn molecules_and_fixed_atoms_turn_together_in_law() -> TestResult {
    let (test, o3) = (LawTest::default(), Orthogonal::new(3));
    let state = copies(40)?;
    let given = Asked::default().fixing(part(&state)?);
    let at = At { state, time: Times::Shared(0.4), given: given.clone() };
    for (text, equivariant) in [("preset = 'symdiff-tiny'", true), ("preset = 'symdiff-tiny'\ngamma = { kind = 'none' }", false)] {
        let denoiser = shaken(&completing(text)?)?.denoiser;
        let p = test.equivariance(&o3, &denoiser, &at, Noise::seeded(3))?.p_value;
        assert_eq!(p > 0.01, equivariant, "{text}: p = {p}");
    }
    let bug = Unmoved(shaken(&completing("preset = 'symdiff-tiny'")?)?.denoiser, given);
    let p = test.equivariance(&o3, &bug, &at, Noise::seeded(3))?.p_value;
    assert!(p < 0.01, "fixed atoms that are not rotated pass, p = {p}");
    Ok(())
}

/// How often the test rejects, at level 1 %: the planted bug, and what is right.
#[test]
#[ignore = "two times two hundred tests; docs/src/conditions.md has the figures"]
fn fixed_atoms_that_are_not_rotated_are_rejected_in_95_of_100_runs() -> TestResult {
    let state = copies(40)?;
    let given = Asked::default().fixing(part(&state)?);
    let at = At { state, time: Times::Shared(0.4), given: given.clone() };
    let model =
        || -> Result<MoleculeDenoiser, Box<dyn std::error::Error>> { Ok(shaken(&completing("preset = 'symdiff-tiny'")?)?.denoiser) };
    let rejections = |kernel: &dyn Fn(u64) -> symdiff_core::Result<f64>| -> symdiff_core::Result<usize> {
        (0..200).map(|seed| Ok(usize::from(kernel(100 + seed)? < 0.01))).sum()
    };
    let (test, o3) = (LawTest::default(), Orthogonal::new(3));
    let (bug, right) = (Unmoved(model()?, given), model()?);
    let planted = rejections(&|seed| Ok(test.equivariance(&o3, &bug, &at, Noise::seeded(seed))?.p_value))?;
    let right = rejections(&|seed| Ok(test.equivariance(&o3, &right, &at, Noise::seeded(seed))?.p_value))?;
    println!("of 200 runs: {planted} reject fixed atoms that stay, {right} reject those that turn");
    assert!(planted >= 190 && right <= 8, "{planted} and {right}");
    Ok(())
}

/// The same draws: where atoms are fixed the answer differs, by what is known of them and by which they are; a fresh model starts as if none were.
#[test]
fn fixed_atoms_change_the_answer() -> TestResult {
    let experiment = completing("preset = 'symdiff-tiny'\ngamma = { kind = 'none' }")?;
    let answer = |denoiser: &MoleculeDenoiser, given: Asked| -> Result<Tensor, Box<dyn std::error::Error>> {
        let Eps(said) = denoiser.sample(&At { state: copies(40)?, time: Times::Shared(0.4), given }, Noise::seeded(1))?;
        Ok(said.joined()?)
    };
    let far = |a: &Tensor, b: &Tensor| -> candle_core::Result<f32> { (a - b)?.abs()?.max_all()?.to_scalar::<f32>() };
    let fixed = part(&copies(40)?)?;
    let larger = Molecules::new((fixed.positions() * 1.1)?, fixed.features().clone(), fixed.layout().clone())?;
    let model = shaken(&experiment)?;
    let free = answer(&model.denoiser, Asked::default())?;
    let zeros = Molecules::new(fixed.positions().zeros_like()?, fixed.features().zeros_like()?, fixed.layout().clone())?;
    let none = answer(&model.denoiser, Asked::default().fixing(zeros))?;
    assert!(far(&free, &none)? == 0.0, "no part and a part of no atoms are the same");
    let fresh = Model::fresh(&experiment, 0, Noise::seeded(0), &Device::Cpu)?;
    let begun = [Asked::default(), Asked::default().fixing(fixed.clone())].map(|given| answer(&fresh.denoiser, given));
    let [without, with] = begun;
    assert!(far(&without?, &with?)? == 0.0, "a fresh model starts as if nothing were fixed");
    let [some, more] = [fixed, larger].map(|part| answer(&model.denoiser, Asked::default().fixing(part)));
    let (some, more) = (some?, more?);
    assert!(far(&free, &some)? > 1e-3 && far(&some, &more)? > 1e-3);
    let unconditional = symdiff_diffusion::Optional::without(&Asked::default().fixing(part(&copies(40)?)?));
    assert!(far(&answer(&model.denoiser, unconditional)?, &some)? == 0.0, "guidance must leave fixed atoms alone");
    Ok(())
}

/// An aligned coupling moves data towards their noise: given a part of the data, such noise is not normal.
#[test]
fn aligned_couplings_are_refused() {
    let flow = "preset = 'symdiff-tiny'\n[diffusion]\nloss = 'continuous'\n[diffusion.continuous]\ncoupling = 'aligned'";
    let told = completing(flow).map(drop).map_err(|error| error.to_string()).err().unwrap_or_default();
    assert!(told.contains("data.fixed") && told.lines().count() == 1, "{told}");
}

#[test]
fn backbones_that_take_no_fixed_atoms_are_refused() {
    for kind in ["egnn", "gnn", "deep_set"] {
        let refused = completing(&format!("backbone = {{ kind = '{kind}', width = 16, layers = 2 }}")).map(drop);
        let told = refused.map_err(|error| error.to_string()).err().unwrap_or_default();
        assert!(told.contains("data.fixed") && told.contains(kind) && told.lines().count() == 1, "{kind}: {told}");
    }
}
