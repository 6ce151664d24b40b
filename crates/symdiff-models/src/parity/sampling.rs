//! `sampler_step`, `final_decode`, `sample_chain`: from noise to molecules.

use super::golden::{Golden, packed};
use super::{Results, model};
use crate::experiment::LossKind;
use crate::{Asked, Decoded, Model, Result};
use candle_core::{DType, Device, Tensor};
use symdiff_diffusion::{Ancestral, Method, Route, Sampler, Span};
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Noise, Ragged, Recording};

/// One step back for every molecule, each at its own time: the sampler moves a batch from one time to another, so molecules go one by one.
pub(super) fn step(golden: &Golden) -> Result<Results> {
    let (model, nothing) = (load(golden)?, Asked::default());
    let (z, layout) = (golden.rows("in.z")?, golden.layout()?);
    let [eps, noise] = [golden.rows("in.eps_raw")?, golden.rows("in.gamma_noise")?];
    let (later, earlier, haar) = (golden.numbers("in.t")?, golden.numbers("in.s")?, golden.tensor("in.haar_gauss")?);
    let mut moved = Vec::with_capacity(layout.len());
    for (i, (&from, &to)) in later.iter().zip(&earlier).enumerate() {
        let own = |rows: &Tensor| rows.narrow(0, layout.rows(i).start, layout.rows(i).len());
        let draws = Recording::new([haar.narrow(0, i, 1)?, own(&noise)?, own(&eps)?]);
        let state = Molecules::from_joined(&own(&z)?, Ragged::from_sizes(&[layout.rows(i).len()])?)?;
        let (z, ()) = Ancestral.step(&model.reverse(&nothing).field(), Span { from, to }, &state, (), Noise::recorded(draws))?;
        moved.push(z.joined()?);
    }
    Ok(Results::from([("out.z_s".into(), Tensor::cat(&moved, 0)?)]))
}

pub(super) fn decode(golden: &Golden) -> Result<Results> {
    let draws = golden.replay(&["in.haar_gauss", "in.gamma_noise", "in.eps_raw"])?;
    molecules(&load(golden)?.reverse(&Asked::default()).decode(golden.state("in.z0")?, draws)?, golden.device())
}

/// A whole run. Draws are stacked: of noise the start, the steps, the last; of γ the steps, the last.
pub(super) fn chain(golden: &Golden) -> Result<Results> {
    let (model, layout) = (load(golden)?, golden.layout()?);
    let at = |name: &str, k: usize| -> Result<Tensor> { Ok(golden.tensor(name)?.get(k)?) };
    let mut draws = vec![packed(&at("in.eps_raw", 0)?, &layout)?];
    for k in 0..=model.process.steps() {
        draws.push(at("in.haar_gauss", k)?);
        draws.push(packed(&at("in.gamma_noise", k)?, &layout)?);
        draws.push(packed(&at("in.eps_raw", k + 1)?, &layout)?);
    }
    let like = Molecules::blank(layout, Encoding::qm9().features(), DType::F32, golden.device())?;
    let noise = Noise::recorded(Recording::new(draws));
    let decoded =
        model.reverse(&Asked::default()).sample_by(Route::new(Method::Ancestral, model.process.steps()), &like, noise, &mut |_, _| ())?;
    molecules(&decoded, golden.device())
}

fn load(golden: &Golden) -> Result<Model> {
    model::load(golden, model::symdiff_in_training(golden, model::PUBLISHED)?, model::diffusion(golden, LossKind::L2))
}

/// Decoded molecules as the file has them: positions, one-hot elements, atomic numbers.
fn molecules(decoded: &Decoded, device: &Device) -> Result<Results> {
    let types = Encoding::qm9().types();
    let one_hot: Vec<f32> = decoded.columns.iter().flat_map(|&column| (0..types).map(move |k| f32::from(k == column as usize))).collect();
    let charges: Vec<f32> = decoded.charges.iter().flatten().map(|&charge| charge as f32).collect();
    let rows = decoded.columns.len();
    Ok(Results::from([
        ("out.x".into(), decoded.positions.clone()),
        ("out.onehot".into(), Tensor::from_vec(one_hot, (rows, types), device)?),
        ("out.charge".into(), Tensor::from_vec(charges, (rows, 1), device)?),
    ]))
}
