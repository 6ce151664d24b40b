//! Ten lines make a plain network equivariant, and one test shows that it worked.
//!
//! ```text
//! cargo run --release -p symdiff-core --example ten_lines -- --out pictures
//! ```
//!
//! The picture: a network's outputs for one cloud of the plane turned by many angles, turned back. For an equivariant kernel the law of a
//! point does not depend on the angle: the symmetrised network gives the same spot for every colour, the plain one does not.

mod support;

use candle_core::{Device, Tensor};
use candle_nn::Module;
use support::{Perceptron, parameters, save, seed_parameters};
use symdiff_core::testing::LawTest;
use symdiff_core::{Map, MarkovKernel, MarkovKernelExt, Noise, Raw, Result};
use symdiff_figures::{Figure, Frame, Layer, Style, panels};
use symdiff_groups::{Action, Cloud, Dense, GramSchmidt, Group, LieGroup, SpecialOrthogonal};

const COPIES: usize = 200;

/// A network of the cloud `[B, 3, 2]` flattened: it knows no rotation.
struct Flat(Perceptron);

impl Module for Flat {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.0.forward(&x.flatten_from(1)?)
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let (map, vb) = parameters();
    let (net, frame_net) = (Perceptron::new(6, 32, 6, &vb.pp("k"))?, Flat(Perceptron::new(6, 32, 4, &vb.pp("f"))?));
    seed_parameters(&map, 3)?;

    // The ten lines.
    let so2 = SpecialOrthogonal::new(2);
    let plain = Map::new(|x: &Cloud| Ok(Cloud::new(net.forward(&x.tensor().flatten_from(1)?)?.reshape(x.tensor().shape())?)?));
    let gamma = Raw::<_, Cloud>::new(frame_net).charted(so2, GramSchmidt::columns()).haar_symmetrised();
    let model = (&plain).symmetrised(gamma);

    let cloud = Tensor::new(&[[[1.0, 0.0], [0.3, 0.8], [-0.6, -0.2_f32]]], &Device::Cpu)?;
    let x = Cloud::new(cloud.repeat((COPIES, 1, 1))?)?;
    let test = LawTest::default();
    println!("plain:       {:?}", test.equivariance(&so2, &plain, &x, Noise::seeded(1))?);
    println!("symmetrised: {:?}", test.equivariance(&so2, &model, &x, Noise::seeded(1))?);

    let lines = [
        ("plain: point 0 of the outputs at eight angles, turned back".to_owned(), vec![spots(so2, &plain, &x)?]),
        ("symmetrised".to_owned(), vec![spots(so2, &model, &x)?]),
    ];
    save("ten_lines", &panels("Ten lines", &lines))?;
    Ok(())
}

/// Point 0 of the outputs at eight angles, turned back, a colour for each angle. A few of each colour in turn, so that no colour hides the others.
fn spots(so2: SpecialOrthogonal, kernel: &impl MarkovKernel<Cloud, Out = Cloud>, x: &Cloud) -> Result<Figure> {
    let mut layers = Vec::new();
    for step in 0..8 {
        let angle = std::f32::consts::TAU * step as f32 / 8.0;
        let h = so2.exp(&Tensor::full(angle, (COPIES, 1), &Device::Cpu)?)?;
        let y = kernel.sample(&x.act(&so2, &h)?, Noise::seeded(100 + step))?.act(&so2, &so2.inverse(&h)?)?;
        let points: Vec<(f64, f64)> =
            y.tensor().narrow(1, 0, 1)?.squeeze(1)?.to_vec2::<f32>()?.iter().map(|p| (f64::from(p[0]), f64::from(p[1]))).collect();
        let few = points.chunks(10).take(6).enumerate();
        layers.extend(few.map(|(turn, few)| (turn, Layer { label: None, style: Style::Points(step as usize), points: few.to_vec() })));
    }
    layers.sort_by_key(|(turn, _)| *turn);
    let layers = layers.into_iter().map(|(_, layer)| layer).collect();
    Ok(Figure { name: "spots".to_owned(), title: "Point 0, turned back".to_owned(), frame: Frame::Plane, layers })
}
