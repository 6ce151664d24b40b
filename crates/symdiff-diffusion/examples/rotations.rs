//! A flow on a space that is not Euclidean: rotations of space, along geodesics. Of the space, a path needs only the exponential and the logarithm of a Lie group.
//!
//! ```text
//! cargo run --release -p symdiff-diffusion --example rotations -- --out pictures
//! ```
//!
//! `rotations.svg` shows where the axis of the top points, seen from above: in the data, in samples, and in noise.
//!
//! The path from data g₀ to noise g₁ ~ Haar is g_t = g₀·exp(t·ω) with ω = log(g₀⁻¹·g₁). A network learns the mean of ω given g_t, as it does of ε − x on a straight line, and sampling
//! follows it back: g ← g·exp(−dt·ω̂(g, t)). Its inputs are the nine entries of g, so the network uses no structure of SO(3); samples stay in the group because steps are taken by the exponential.
//!
//! The data are orientations like those of a spinning top: any angle about the vertical axis, and a small tilt.
//!
//! # Source
//! Chen and Lipman, "Flow matching on general geometries", arXiv 2302.03660.

use candle_core::{DType, Device, Tensor};
use candle_nn::{AdamW, Module, Optimizer, ParamsAdamW, Sequential, VarBuilder, VarMap, linear, seq};
use std::path::PathBuf;
use symdiff_core::testing::energy_distance;
use symdiff_figures::{Figure, Frame, Layer, Style};
use symdiff_groups::{CompactGroup, Group, LieGroup, Matrices, Observe, SpecialOrthogonal};
use symdiff_ops::{Noise, Samples};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const BATCH: usize = 256;
const TRAINING: usize = 1500;
const STEPS: usize = 40;

fn main() -> Outcome {
    let so3 = SpecialOrthogonal::new(3);
    let variables = VarMap::new();
    let net = network(VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu))?;
    let mut optimiser = AdamW::new(variables.all_vars(), ParamsAdamW { lr: 2e-3, ..Default::default() })?;
    for (step, noise) in Noise::seeded(1).repeats(TRAINING).enumerate() {
        let loss = loss(so3, &net, noise)?;
        optimiser.backward_step(&loss)?;
        if step % 250 == 0 {
            println!("step {step:4}: loss {:.3}", loss.to_scalar::<f32>()?);
        }
    }

    let [fresh, more, noise, start] = Noise::seeded(2).split();
    let again = Noise::seeded(3);
    let data = top(so3, fresh)?.observe()?;
    let distance = |other: Matrices| -> Outcome<f64> { Ok(energy_distance(&data, &other.observe()?)?) };
    let (noise, samples) = (so3.haar(&like()?, noise)?, sample(so3, &net, start)?);
    let layers = vec![axes("noise", &noise, 7)?, axes("data", &top(so3, again)?, 0)?, axes("samples", &samples, 1)?];
    let out = std::env::args().skip_while(|word| word != "--out").nth(1).map_or_else(|| PathBuf::from("pictures"), PathBuf::from);
    std::fs::create_dir_all(&out)?;
    Figure { name: "rotations".into(), title: "The axis of the top".into(), frame: Frame::Plane, layers }.save(&out)?;
    let (again, haar, drawn) = (distance(top(so3, more)?)?, distance(noise)?, distance(samples)?);
    println!("energy distance from data: other data {again:.4}, samples {drawn:.4}, noise {haar:.4}");
    if drawn > 0.1 * haar {
        return Err(format!("samples lie {drawn} from the data, more than a tenth of what noise does").into());
    }
    Ok(())
}

/// Where the rotations take the vertical axis, seen from above.
fn axes(label: &str, g: &Matrices, colour: usize) -> Outcome<Layer> {
    let ends = g.as_tensor().narrow(2, 2, 1)?.squeeze(2)?.to_vec2::<f32>()?;
    let points = ends.iter().map(|end| (f64::from(end[0]), f64::from(end[1]))).collect();
    Ok(Layer { label: Some(label.to_owned()), style: Style::Points(colour), points })
}

/// From the entries of g and the time, `[B, 10]`, to the velocity of g in its own frame, `[B, 3]`.
fn network(vb: VarBuilder) -> candle_core::Result<Sequential> {
    let layer = |at: usize, inputs: usize, outputs: usize| linear(inputs, outputs, vb.pp(at));
    let silu = |x: &Tensor| x.silu();
    Ok(seq().add(layer(0, 10, 96)?).add_fn(silu).add(layer(1, 96, 96)?).add_fn(silu).add(layer(2, 96, 3)?))
}

fn velocity(net: &Sequential, g: &Matrices, times: &Tensor) -> candle_core::Result<Tensor> {
    net.forward(&Tensor::cat(&[&g.as_tensor().flatten_from(1)?, times], 1)?)
}

/// E|ω − ω̂(g_t, t)|² over t uniform.
fn loss(so3: SpecialOrthogonal, net: &Sequential, noise: Noise) -> Outcome<Tensor> {
    let [data, haar, times] = noise.split();
    let (data, noise) = (top(so3, data)?, so3.haar(&like()?, haar)?);
    let times = times.uniform(&Samples::numbered(BATCH), &[1], DType::F32, &Device::Cpu)?;
    let omega = so3.log(&so3.compose(&so3.inverse(&data)?, &noise)?)?;
    let between = so3.compose(&data, &so3.exp(&omega.broadcast_mul(&times)?)?)?;
    Ok((velocity(net, &between, &times)? - omega)?.sqr()?.sum(1)?.mean_all()?)
}

/// From noise at t = 1 to data at t = 0.
fn sample(so3: SpecialOrthogonal, net: &Sequential, start: Noise) -> Outcome<Matrices> {
    let mut g = so3.haar(&like()?, start)?;
    for k in (1..=STEPS).rev() {
        let time = Tensor::full(k as f32 / STEPS as f32, (BATCH, 1), &Device::Cpu)?;
        let step = (velocity(net, &g, &time)?.detach() * (-1.0 / STEPS as f64))?;
        g = so3.compose(&g, &so3.exp(&step)?)?;
    }
    Ok(g)
}

/// Any rotation about the vertical axis, then a tilt of about a fifth of a radian.
fn top(so3: SpecialOrthogonal, noise: Noise) -> Outcome<Matrices> {
    let [turn, lean] = noise.split();
    let angle = (turn.uniform(&Samples::numbered(BATCH), &[1], DType::F32, &Device::Cpu)? * std::f64::consts::TAU)?;
    let vertical = Tensor::new(&[[0.0_f32, 0.0, 1.0]], &Device::Cpu)?;
    let lean = (lean.normal(&Samples::numbered(BATCH), &[3], DType::F32, &Device::Cpu)? * 0.2)?;
    Ok(so3.compose(&so3.exp(&angle.broadcast_mul(&vertical)?)?, &so3.exp(&lean)?)?)
}

/// A batch's samples, type and device.
fn like() -> candle_core::Result<Tensor> {
    Tensor::zeros((BATCH, 1), DType::F32, &Device::Cpu)
}
