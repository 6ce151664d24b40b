//! Symmetrised denoisers along whole trajectories: the law of samples under fresh and kept frames.

mod common;

use candle_core::{DType, Device, Tensor};
use common::Outcome;
use symdiff_core::testing::LawTest;
use symdiff_core::{Map, MarkovKernelExt};
use symdiff_diffusion::{At, Denoiser, Eps, Framing, Gaussian, LinearPath, Method, NoiseField, Process, Reverse, Route};
use symdiff_groups::{Cloud, Dense, GramSchmidt, Orthogonal};
use symdiff_ops::{Noise, Samples};

const COPIES: usize = 200;

/// A denoiser that knows up from down, and moves points towards a fixed shape.
fn lopsided(at: &At<Cloud>) -> symdiff_core::Result<Eps<Cloud>> {
    let x = at.state.tensor();
    let shape = Tensor::new(&[[[1.0, 0.2, 0.0], [0.0, -0.9, 0.5]]], &Device::Cpu)?;
    Ok(Eps(Cloud::new((x.broadcast_sub(&shape)? + (x * 2.0)?.sin()?)?)?))
}

/// Its frames, from a network that knows no more of rotations.
fn frames(at: &At<Cloud>) -> symdiff_core::Result<Tensor> {
    let x = at.state.tensor();
    let third = (x.narrow(1, 0, 1)? * x.narrow(1, 1, 1)?)?.cos()?;
    Ok(Tensor::cat(&[x, &third], 1)?)
}

fn sample(denoiser: &dyn Denoiser<Cloud>, framing: Framing, noise: Noise) -> symdiff_core::Result<Cloud> {
    let process = Process::continuous(LinearPath::new(0.05)?, 8)?;
    let like = Cloud::new(Tensor::zeros((COPIES, 2, 3), DType::F64, &Device::Cpu)?)?;
    let reverse = Reverse { process: &process, denoiser, data: &Gaussian::default(), given: &() };
    Ok(reverse.sample_by(Route { framing, ..Route::new(Method::Heun, 8) }, &like, noise, &mut |_, _| ())?)
}

#[test]
fn samples_have_an_invariant_law_with_fresh_and_with_kept_frames() -> Outcome {
    let (test, o3) = (LawTest::default(), Orthogonal::new(3));
    let symmetrised = || Map::new(lopsided).symmetrised(Map::new(frames).charted(o3, GramSchmidt::columns()).haar_symmetrised());
    for &framing in Framing::ALL {
        let p = test.invariance(&o3, |noise| sample(&symmetrised(), framing, noise), Noise::seeded(1))?.p_value;
        assert!(p > 0.01, "{framing} frames: p = {p}");
    }
    let p = test.invariance(&o3, |noise| sample(&Map::new(lopsided), Framing::Fresh, noise), Noise::seeded(1))?.p_value;
    assert!(p < 0.01, "a denoiser without frames passes, p = {p}");
    Ok(())
}

#[test]
fn kept_frames_make_the_field_a_function() -> Outcome {
    let o3 = Orthogonal::new(3);
    let denoiser = Map::new(lopsided).symmetrised(Map::new(frames).charted(o3, GramSchmidt::columns()).haar_symmetrised());
    let process = Process::continuous(LinearPath::default(), 8)?;
    let z = Cloud::new(Noise::seeded(2).normal(&Samples::numbered(3), &[2, 3], DType::F64, &Device::Cpu)?)?;
    let ask = |framing: Framing| -> Outcome<[Vec<f64>; 2]> {
        let field = NoiseField::new(&process, &denoiser, &()).framed(framing, Noise::seeded(3));
        let said = |seed: u64| -> Outcome<Vec<f64>> { common::numbers(field.eps(&z, 0.5, Noise::seeded(seed))?.0.tensor()) };
        Ok([said(4)?, said(5)?])
    };
    let [first, second] = ask(Framing::Kept)?;
    assert_eq!(first, second);
    let [first, second] = ask(Framing::Fresh)?;
    assert_ne!(first, second);
    Ok(())
}
