//! A diffusion model of the plane with a condition: points at a distance from the origin that one asks for, equivariant under rotations.
//!
//! ```text
//! cargo run --release -p symdiff --features full --example circles -- --out pictures
//! ```
//!
//! It trains for some seconds. `circles.svg` shows 300 samples for each of three radii.

use candle_nn::{AdamW, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, linear};
use std::path::PathBuf;
use symdiff::diffusion::{Framing, Polynomial, Uniform, Weighting};
use symdiff::prelude::*;
use symdiff_figures::{Figure, Frame, Layer, Style};

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The condition, `[B, 1]`: a rotation does not change it.
type Radius = Fixed<Tensor>;

/// A perceptron of the point, the radius and the time. It is not equivariant; the Haar measure of SO(2) makes it so.
fn denoiser(vb: VarBuilder) -> Fallible<impl Denoiser<Vectors, Radius> + use<>> {
    let layers = [linear(5, 64, vb.pp(0))?, linear(64, 64, vb.pp(1))?, linear(64, 2, vb.pp(2))?];
    let network = Map::new(move |at: &At<Vectors, Radius>| {
        let (z, Fixed(radius)) = (at.state.tensor(), &at.given);
        let time = at.time.tensor(z.dtype(), z.device())?.unsqueeze(1)?.broadcast_as((z.dims()[0], 1))?.contiguous()?;
        let [a, b, c] = &layers;
        let hidden = a.forward(&Tensor::cat(&[z, radius, &time, &time.sqr()?], 1)?)?.silu()?;
        Ok(Eps(Vectors::new(c.forward(&b.forward(&hidden)?.silu()?)?)?))
    });
    Ok(network.symmetrised(Haar(SpecialOrthogonal::new(2))))
}

/// 128 points whose distance from the origin lies between 0.5 and 1.5, and this distance.
fn data(noise: Noise) -> Fallible<(Vectors, Radius)> {
    let (samples, [radii, points]) = (Samples::numbered(128), noise.split());
    let radius = (radii.uniform(&samples, &[1], DType::F32, &Device::Cpu)? + 0.5)?;
    let points = points.normal(&samples, &[2], DType::F32, &Device::Cpu)?;
    let length = points.sqr()?.sum_keepdim(1)?.sqrt()?;
    Ok((Vectors::new(points.broadcast_mul(&(&radius / length)?)?)?, Fixed(radius)))
}

fn main() -> Fallible {
    let out = std::env::args().skip_while(|word| word != "--out").nth(1).map_or_else(|| PathBuf::from("pictures"), PathBuf::from);
    let process = Process::new(VariancePreserving(Polynomial { power: 2.0, precision: 1e-4 }.tabulated(50)?), 50)?;
    let variables = VarMap::new();
    let denoiser = denoiser(VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu))?;
    let objective = L2 { process: process.clone(), data: Gaussian::default(), weighting: Weighting::Sample };
    let mut adam = AdamW::new(variables.all_vars(), ParamsAdamW { lr: 3e-3, ..ParamsAdamW::default() })?;
    for (step, noise) in Noise::seeded(0).repeats(2000).enumerate() {
        let [batch, draws] = noise.split();
        let (clean, radius) = data(batch)?;
        let loss = objective.loss(&denoiser, &clean, &radius, draws)?.mean_all()?;
        adam.backward_step(&loss)?;
        if step % 400 == 0 {
            println!("step {step:4}: loss {:.3}", loss.to_dtype(DType::F64)?.to_scalar::<f64>()?);
        }
    }

    let like = Vectors::new(Tensor::zeros((300, 2), DType::F32, &Device::Cpu)?)?;
    let times = process.times(&Uniform, 50)?;
    let mut layers = Vec::new();
    for (colour, radius) in [0.6_f32, 1.0, 1.4].into_iter().enumerate() {
        let given = Fixed(Tensor::full(radius, (300, 1), &Device::Cpu)?);
        let reverse = Reverse { process: &process, denoiser: &denoiser, data: &Gaussian::default(), given: &given };
        let drawn = reverse.sample(&Ancestral, &times, Framing::Fresh, &like, Noise::seeded(1), &mut |_, _| ())?;
        let points = drawn.tensor().to_vec2::<f32>()?.iter().map(|p| (f64::from(p[0]), f64::from(p[1]))).collect();
        layers.push(Layer { label: Some(format!("radius {radius}")), style: Style::Points(colour), points });
    }
    std::fs::create_dir_all(&out)?;
    Ok(Figure { name: "circles".into(), title: "Samples".into(), frame: Frame::Plane, layers }.save(&out)?)
}
