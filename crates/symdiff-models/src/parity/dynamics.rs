//! `*_dynamics`: predicted noise of a noisy molecule, under several paddings and conventions.
//!
//! A result's name says what it is: `eps`, padded to the batch's longest molecule; `eps_pad29`, to 29 atoms; `eps_alone`, not at all. For SymDiff
//! follow `_cols` or `_rows` (Gram–Schmidt's side) and `_left` for the product g₀·f instead of the released f·g₀⁻¹.

use super::Results;
use super::golden::Golden;
use super::model::{self, Convention};
use crate::experiment::LossKind;
use crate::models::{FrameNet, ModelConfig, Observed, learned};
use crate::{Asked, Error, Result};
use symdiff_core::{Haar, MarkovKernel};
use symdiff_diffusion::{At, Times};
use symdiff_groups::{Action, Orthogonal};
use symdiff_mol::state::Molecules;
use symdiff_nets::{PairConfig, PairFeatures};
use symdiff_ops::Noise;

/// The draws of one call of the symmetrised denoiser.
const DRAWS: [&str; 2] = ["in.haar_gauss", "in.gamma_noise"];

pub(super) fn dit(golden: &Golden) -> Result<Results> {
    golden.expected_under("out.eps").map(|name| predict(golden, name, &[], |variant| model::dit(golden, variant.pad))).collect()
}

pub(super) fn egnn(golden: &Golden) -> Result<Results> {
    golden.expected_under("out.eps").map(|name| predict(golden, name, &[], |variant| model::egnn(golden, variant.pad))).collect()
}

pub(super) fn gnn(golden: &Golden) -> Result<Results> {
    golden.expected_under("out.eps").map(|name| predict(golden, name, &[], |variant| model::gnn(golden, variant.pad))).collect()
}

pub(super) fn symdiff(golden: &Golden) -> Result<Results> {
    let config = |variant: Variant| model::symdiff(golden, variant.convention, variant.pad);
    let mut results: Results = golden.expected_under("out.eps").map(|name| predict(golden, name, &DRAWS, config)).collect::<Result<_>>()?;
    let (o3, seen) = (Orthogonal::new(3), observed(golden)?);
    for name in golden.expected_under("out.gamma") {
        let sizes = model::gamma(golden, Variant::parse(name, golden)?.convention)?;
        let kernel = learned(&sizes, FrameNet::new(&sizes, width(golden)?, Noise::seeded(0), golden.builder())?, Haar(o3));
        let g = kernel.sample(&seen, golden.replay(&DRAWS)?)?;
        results.insert(format!("out.gamma{name}"), g.as_tensor().clone());
    }
    let sizes = model::gamma(golden, model::PUBLISHED)?;
    let net = FrameNet::new(&sizes, width(golden)?, Noise::seeded(0), golden.builder())?;
    let back = o3.element(&golden.tensor("in.haar")?.transpose(1, 2)?.contiguous()?).map_err(symdiff_core::Error::from)?;
    let turned = seen.act(&o3, &back).map_err(symdiff_core::Error::from)?;
    results.insert("out.decoded".into(), net.sample(&turned, golden.replay(&DRAWS[1..])?)?);
    Ok(results)
}

/// What a result's name asks for.
#[derive(Clone, Copy)]
struct Variant {
    pad: Option<usize>,
    convention: Convention,
}

impl Variant {
    /// Reads `_pad29_rows_left` and the like.
    fn parse(name: &str, golden: &Golden) -> Result<Self> {
        let mut variant = Self { pad: Some(golden.layout()?.longest()), convention: model::PUBLISHED };
        for word in name.split('_').filter(|word| !word.is_empty()) {
            match (word, word.strip_prefix("pad").and_then(|pad| pad.parse().ok())) {
                (_, Some(pad)) => variant.pad = Some(pad),
                ("alone", _) => variant.pad = None,
                ("cols", _) => variant.convention.rows = false,
                ("rows", _) => variant.convention.rows = true,
                ("left", _) => variant.convention.released = false,
                _ => return Err(Error::Config(format!("a result named `{name}`: `{word}` is unknown"))),
            }
        }
        Ok(variant)
    }
}

fn predict(
    golden: &Golden,
    name: &str,
    draws: &[&str],
    config: impl Fn(Variant) -> Result<ModelConfig>,
) -> Result<(String, candle_core::Tensor)> {
    let config = config(Variant::parse(name, golden)?)?;
    let model = model::load(golden, config, model::diffusion(golden, LossKind::L2))?;
    let prediction = model.denoiser.sample(&noisy(golden)?, golden.replay(draws)?)?;
    Ok((format!("out.eps{name}"), prediction.0.joined()?))
}

fn noisy(golden: &Golden) -> Result<At<Molecules, Asked>> {
    let time = Times::PerSample(golden.numbers("in.t")?);
    Ok(At { state: golden.state("in.z")?, time, given: Asked::default() })
}

/// What γ looks at: the centred molecules with their pair features, padded to the batch's longest.
fn observed(golden: &Golden) -> Result<Observed> {
    let At { state, time, given } = noisy(golden)?;
    let state = state.centred()?;
    let pairs = PairFeatures::new(PairConfig { gaussians: golden.size("K")?, width: width(golden)? }, golden.builder())?;
    let pairs = pairs.padded_to(state.layout().longest()).forward(state.positions(), state.layout())?;
    Ok(Observed { at: At { state, time, given }, pairs: Some(pairs) })
}

fn width(golden: &Golden) -> Result<usize> {
    Ok(golden.size("hidden")? - golden.size("xh_hidden")?)
}
