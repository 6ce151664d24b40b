//! Functions of sets from a plain perceptron of the list.
//!
//! ```text
//! cargo run --release -p symdiff-core --example sets -- --out pictures
//! ```
//!
//! The task is equivariant under S₆: give each of six numbers its rank. The plain network must learn all 720 orders one by one; symmetrised by a
//! canonicalisation (sort first) it meets a single order, and by Haar draws it can only learn the mean over orders of what it sees.

mod support;

use candle_core::Tensor;
use candle_nn::Module;
use support::{Perceptron, curve, normal, parameters, save, seed_parameters, train};
use symdiff_core::testing::equivariance_error;
use symdiff_core::{Haar, Identity, Map, MarkovKernel, MarkovKernelExt, Noise, Result, jensen_bound};
use symdiff_figures::losses;
use symdiff_groups::{Argsort, Dense, Set, Symmetric};

const N: usize = 6;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let s6 = Symmetric::new(N);
    let mut named = Vec::new();
    for name in ["plain", "Haar", "sorted"] {
        let (map, vb) = parameters();
        let net = Perceptron::new(N, 64, N, &vb)?;
        seed_parameters(&map, 1)?;
        let k = Map::new(|x: &Set| Ok(Set::new(net.forward(&x.tensor().squeeze(2)?)?.unsqueeze(2)?)?));
        let scores = Map::new(|x: &Set| Ok(x.tensor().squeeze(2)?)).charted(s6.clone(), Argsort);
        let model: Box<dyn MarkovKernel<Set, Out = Set>> = match name {
            "plain" => k.symmetrised(Identity(s6.clone())).boxed(),
            "Haar" => k.symmetrised(Haar(s6.clone())).boxed(),
            _ => k.symmetrised(scores).boxed(),
        };
        let course = train(&map, 2000, 2e-3, |step| {
            let [data, draws] = Noise::seeded(2).steps().at(step).split();
            let (x, target) = ranked(data)?;
            Ok(jensen_bound(&model, &x, 1, draws, |y| squared_error(y, &target))?.mean_all()?)
        })?;
        let off = equivariance_error(&s6, &model, &ranked(Noise::seeded(3))?.0, 20, Noise::seeded(4))?;
        println!("{name}: loss {:.4}, equivariance error at equal noise {:.4} ± {:.4}", course[1999], off.value, off.standard_error);
        named.push((name.to_owned(), curve(&course)));
    }
    save("sets", &losses("Squared error of ranks in 2,000 steps", &named).standalone())?;
    Ok(())
}

/// 128 lists of normals, and the rank of each number in [0, 1].
fn ranked(noise: Noise) -> Result<(Set, Tensor)> {
    let x = normal(noise, 128, &[N, 1])?;
    let smaller = x.broadcast_gt(&x.transpose(1, 2)?)?.to_dtype(x.dtype())?.sum_keepdim(2)?;
    Ok((Set::new(x)?, (smaller / (N - 1) as f64)?))
}

fn squared_error(y: &Set, target: &Tensor) -> Result<Tensor> {
    Ok((y.tensor() - target)?.sqr()?.mean((1, 2))?)
}
