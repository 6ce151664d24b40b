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
use support::{Perceptron, out_folder, parameters, seed_parameters, svg::Svg, svg::hue};
use symdiff_core::testing::LawTest;
use symdiff_core::{Map, MarkovKernel, MarkovKernelExt, Noise, Raw, Result};
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

    let mut svg = Svg::new(640.0, 330.0);
    svg.text(20.0, 24.0, "plain, point 0 turned back");
    svg.text(340.0, 24.0, "symmetrised");
    draw(&mut svg, 160.0, so2, &plain, &x)?;
    draw(&mut svg, 480.0, so2, &model, &x)?;
    svg.save(&out_folder()?.join("ten_lines.svg"))?;
    Ok(())
}

/// Point 0 of the outputs at twelve angles, turned back, one colour an angle.
fn draw(svg: &mut Svg, centre: f64, so2: SpecialOrthogonal, kernel: &impl MarkovKernel<Cloud, Out = Cloud>, x: &Cloud) -> Result<()> {
    let mut spots = Vec::new();
    for step in 0..12 {
        let angle = std::f32::consts::TAU * step as f32 / 12.0;
        let h = so2.exp(&Tensor::full(angle, (COPIES, 1), &Device::Cpu)?)?;
        let y = kernel.sample(&x.act(&so2, &h)?, Noise::seeded(100 + step))?.act(&so2, &so2.inverse(&h)?)?;
        for point in y.tensor().narrow(1, 0, 1)?.squeeze(1)?.to_vec2::<f32>()?.iter().take(60) {
            spots.push((step, f64::from(point[0]), f64::from(point[1])));
        }
    }
    // One of each colour in turn, so that no colour hides the others.
    spots.sort_by_key(|&(step, ..)| 5 * step % 12);
    for at in 0..60 {
        for (step, x, y) in spots.iter().skip(at).step_by(60) {
            svg.dot(centre + 260.0 * x, 180.0 - 260.0 * y, 2.5, &hue(*step as f64 / 12.0));
        }
    }
    Ok(())
}
