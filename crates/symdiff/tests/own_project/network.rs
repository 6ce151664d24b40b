//! A network of your own: two Candle modules that know no symmetry, made equivariant under rotations and reflections, and trained.

// ANCHOR: program
use candle_nn::{Linear, Module, Optimizer, VarBuilder, VarMap};
use symdiff::prelude::*;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A perceptron on the flattened cloud, `[B, 4, 3]` → `[B, out]`.
struct Perceptron {
    first: Linear,
    second: Linear,
}

impl Perceptron {
    fn new(out: usize, vb: VarBuilder) -> candle_core::Result<Self> {
        Ok(Self { first: candle_nn::linear(12, 32, vb.pp("first"))?, second: candle_nn::linear(32, out, vb.pp("second"))? })
    }
}

impl Module for Perceptron {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.second.forward(&self.first.forward(&x.flatten_from(1)?)?.silu()?)
    }
}

/// A dipole for each cloud: a vector that must turn as the cloud does.
fn model(vb: VarBuilder) -> Outcome<impl MarkovKernel<Cloud, Out = Vectors> + use<>> {
    let network = Network::<_, Cloud, Vectors>::new(Perceptron::new(3, vb.pp("k"))?);
    let frame_net = Raw::<_, Cloud>::new(Perceptron::new(9, vb.pp("f"))?);
    let gamma = frame_net.charted(Orthogonal::new(3), GramSchmidt::columns()).haar_symmetrised();
    Ok(network.symmetrised(gamma))
}
/// Charges −2, −1, 1, 2 at the points: the dipole is their weighted sum.
fn dipole(x: &Cloud) -> candle_core::Result<Tensor> {
    let charges = Tensor::new(&[-2_f32, -1.0, 1.0, 2.0], x.tensor().device())?.reshape((1, 4, 1))?;
    x.tensor().broadcast_mul(&charges)?.sum(1)
}

fn clouds(count: usize, noise: Noise) -> Outcome<Cloud> {
    Ok(Cloud::new(noise.normal(&Samples::numbered(count), &[4, 3], DType::F32, &Device::Cpu)?)?)
}

/// Trains by any optimiser; the loss of every step.
fn train(model: &impl MarkovKernel<Cloud, Out = Vectors>, map: &VarMap) -> Outcome<Vec<f32>> {
    let mut adam = candle_nn::AdamW::new(map.all_vars(), candle_nn::ParamsAdamW { lr: 5e-3, ..Default::default() })?;
    let mut losses = Vec::new();
    for step in 0..150 {
        let [data, draws] = Noise::seeded(3).steps().at(step).split();
        let x = clouds(64, data)?;
        let loss = (model.sample(&x, draws)?.tensor() - dipole(&x)?)?.sqr()?.mean_all()?;
        adam.backward_step(&loss)?;
        losses.push(loss.to_scalar::<f32>()?);
    }
    Ok(losses)
}

fn main() -> Outcome {
    let map = VarMap::new();
    let model = model(VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu))?;

    // It is equivariant in law before it has learned anything: p is uniform between 0 and 1.
    let copies = Cloud::new(clouds(1, Noise::seeded(1))?.tensor().repeat((200, 1, 1))?)?;
    let found = LawTest::default().equivariance(&Orthogonal::new(3), &model, &copies, Noise::seeded(2))?;
    assert!(found.p_value > 0.01, "{found:?}");

    let losses = train(&model, &map)?;
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&losses[..10]), mean(&losses[140..]));
    println!("p = {:.2}; the loss falls from {first:.1} to {last:.1}", found.p_value);
    assert!(last < 0.7 * first);
    Ok(())
}
// ANCHOR_END: program

#[test]
fn a_candle_module_becomes_equivariant_and_learns() -> Outcome {
    main()
}
