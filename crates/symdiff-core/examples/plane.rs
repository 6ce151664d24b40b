//! SO(2) on clouds of the plane: what a learned γ buys.
//!
//! ```text
//! cargo run --release -p symdiff-core --example plane -- --out pictures
//! ```
//!
//! The task commutes with rotations: send every point of a triangle a quarter turn about the triangle's centre, and away from it. The backbone sees
//! flattened coordinates. Without symmetry it must learn every orientation; γ = Haar asks the same of it, only in law; a learned γ turns each
//! triangle into an orientation that the backbone likes, and the loss falls fastest.

mod support;

use candle_core::Tensor;
use candle_nn::Module;
use support::{Perceptron, curve, normal, parameters, save, seed_parameters, train};
use symdiff_core::testing::LawTest;
use symdiff_core::{Haar, Identity, Map, MarkovKernel, MarkovKernelExt, Noise, Result, jensen_bound};
use symdiff_figures::losses;
use symdiff_groups::{Cloud, Dense, GramSchmidt, SpecialOrthogonal};

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let so2 = SpecialOrthogonal::new(2);
    let mut named = Vec::new();
    for name in ["plain", "Haar", "learned"] {
        let (map, vb) = parameters();
        let (net, frame) = (Perceptron::new(6, 48, 6, &vb.pp("k"))?, Perceptron::new(6, 24, 4, &vb.pp("f"))?);
        seed_parameters(&map, 1)?;
        let k = Map::new(|x: &Cloud| Ok(Cloud::new(net.forward(&x.tensor().flatten_from(1)?)?.reshape(x.tensor().shape())?)?));
        let f = Map::new(|x: &Cloud| Ok(frame.forward(&x.tensor().flatten_from(1)?)?)).charted(so2, GramSchmidt::columns());
        let model: Box<dyn MarkovKernel<Cloud, Out = Cloud>> = match name {
            "plain" => k.symmetrised(Identity(so2)).centred(2).boxed(),
            "Haar" => k.symmetrised(Haar(so2)).centred(2).boxed(),
            _ => k.symmetrised(f.haar_symmetrised()).centred(2).boxed(),
        };
        let course = train(&map, 2500, 2e-3, |step| {
            let [data, draws] = Noise::seeded(2).steps().at(step).split();
            let (x, target) = turned(data)?;
            let error = |y: &Cloud| Ok((y.tensor() - &target)?.sqr()?.mean((1, 2))?);
            Ok(jensen_bound(&model, &x, 1, draws, error)?.mean_all()?)
        })?;
        let one = Cloud::new(normal(Noise::seeded(3), 1, &[3, 2])?.repeat((200, 1, 1))?)?;
        let found = LawTest::default().equivariance(&so2, &model, &one, Noise::seeded(4))?;
        println!("{name}: loss {:.4}, law test p = {:.3}", course[2499], found.p_value);
        named.push((name.to_owned(), curve(&course)));
    }
    save("plane", &losses("Squared error in 2,500 steps", &named).standalone())?;
    Ok(())
}

/// 128 triangles, and where their points go: (x, y) ↦ (−y, x)·(1 + r²/2) about the centre.
fn turned(noise: Noise) -> Result<(Cloud, Tensor)> {
    let x = normal(noise, 128, &[3, 2])?;
    let centre = x.mean_keepdim(1)?;
    let about = x.broadcast_sub(&centre)?;
    let quarter = Tensor::cat(&[&about.narrow(2, 1, 1)?.neg()?, &about.narrow(2, 0, 1)?], 2)?;
    let stretch = ((about.sqr()?.sum_keepdim(2)? * 0.5)? + 1.0)?;
    let target = quarter.broadcast_mul(&stretch)?.broadcast_add(&centre)?;
    Ok((Cloud::new(x)?, target))
}
