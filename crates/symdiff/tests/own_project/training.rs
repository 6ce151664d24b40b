//! A condition, and the training loop on a task of your own: points on a circle of a given radius.

use symdiff::train::Variables;

// ANCHOR: condition
use candle_nn::{Module, VarBuilder};
use std::ops::ControlFlow;
use std::path::Path as FilePath;
use symdiff::diffusion::{Framing, Polynomial, Uniform, Weighting};
use symdiff::ops::Steps;
use symdiff::prelude::*;
use symdiff::train::{CHECKPOINT, Parameters, Settings, Share, checkpoint};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The radius, `[B, 1]`: a rotation does not change it. A condition that turns, such as a direction, would be `Vectors`.
type Radius = Fixed<Tensor>;

/// A denoiser of points of the plane given a radius, equivariant under SO(2).
fn denoiser(vb: VarBuilder) -> Outcome<impl Denoiser<Vectors, Radius> + use<>> {
    let (first, second) = (candle_nn::linear(5, 64, vb.pp("first"))?, candle_nn::linear(64, 2, vb.pp("second"))?);
    let network = Map::new(move |at: &At<Vectors, Radius>| {
        let (z, Fixed(radius)) = (at.state.tensor(), &at.given);
        let time = at.time.tensor(z.dtype(), z.device())?.unsqueeze(1)?.broadcast_as((z.dims()[0], 1))?;
        let features = Tensor::cat(&[z, radius, &time.contiguous()?, &time.sqr()?], 1)?;
        Ok(Eps(Vectors::new(second.forward(&first.forward(&features)?.silu()?)?)?))
    });
    Ok(network.symmetrised(Haar(SpecialOrthogonal::new(2))))
}
// ANCHOR_END: condition

// ANCHOR: task
/// What is trained: where batches come from, and what their loss is.
struct Circles<D> {
    denoiser: D,
    loss: L2<Gaussian>,
    data: Steps,
}

const BATCH: usize = 128;

impl<D: Denoiser<Vectors, Radius>> Task for Circles<D> {
    type Batch = (Vectors, Radius);
    type Error = Box<dyn std::error::Error>;

    fn batch(&self, step: u64, share: Share) -> Outcome<Self::Batch> {
        let samples = Samples::new(share.range(BATCH).map(|place| place as u64).collect::<Vec<_>>());
        let [radii, points] = self.data.at(step).split();
        let radius = (radii.uniform(&samples, &[1], DType::F32, &Device::Cpu)? + 0.5)?;
        let points = points.normal(&samples, &[2], DType::F32, &Device::Cpu)?;
        let length = points.sqr()?.sum_keepdim(1)?.sqrt()?;
        Ok((Vectors::new(points.broadcast_mul(&(&radius / length)?)?)?, Fixed(radius)))
    }

    fn loss(&self, (clean, radius): &Self::Batch, noise: Noise) -> Outcome<Tensor> {
        Ok(self.loss.loss(&self.denoiser, clean, radius, noise)?)
    }
}

/// Trains in `folder` until so many steps are done, from the start or from the checkpoint there.
fn train(folder: &FilePath, parameters: &Parameters, process: &Process, steps: u64) -> Outcome {
    let loss = L2 { process: process.clone(), data: Gaussian::default(), weighting: Weighting::Sample };
    let task = Circles { denoiser: denoiser(parameters.builder())?, loss, data: Noise::seeded(2).steps() };
    let settings = Settings { batch: BATCH, lr: 5e-3, ema: 0.99, steps, ..Settings::default() };
    let resumed = folder.join(CHECKPOINT).exists();
    let begin = if resumed { Trainer::resume } else { Trainer::start };
    begin(task, parameters, settings, 1, folder)?.run(&mut |_| ControlFlow::Continue(()))?;
    Ok(())
}
// ANCHOR_END: task

// ANCHOR: sampling
/// The mean distance from the origin of 300 points that are asked to lie at `radius`.
fn distance(parameters: &Parameters, process: &Process, radius: f32) -> Outcome<f32> {
    let denoiser = denoiser(parameters.clone().frozen().builder())?;
    let like = Vectors::new(Tensor::zeros((300, 2), DType::F32, &Device::Cpu)?)?;
    let given = Fixed(Tensor::full(radius, (300, 1), &Device::Cpu)?);
    let reverse = Reverse { process, denoiser: &denoiser, data: &Gaussian::default(), given: &given };
    let times = process.times(&Uniform, 50)?;
    let drawn = reverse.sample(&Ancestral, &times, Framing::Fresh, &like, Noise::seeded(3), &mut |_, _| ())?;
    Ok(drawn.tensor().sqr()?.sum(1)?.sqrt()?.mean_all()?.to_scalar()?)
}

/// Trains up to so many steps, and asks for points at two distances.
fn program(folder: &FilePath, steps: u64) -> Outcome<(Parameters, [f32; 2])> {
    let process = Process::new(VariancePreserving(Polynomial { power: 2.0, precision: 1e-4 }.tabulated(50)?), 50)?;
    let parameters = Parameters::new(1, DType::F32, &Device::Cpu);
    train(folder, &parameters, &process, steps)?;
    let mut trained = checkpoint::load(&folder.join(CHECKPOINT), &Device::Cpu)?;
    parameters.load(&trained.take("ema")?)?; // the moving average of the weights
    let found = [distance(&parameters, &process, 0.6)?, distance(&parameters, &process, 1.4)?];
    println!("asked for 0.6 and 1.4: {found:.2?}");
    Ok((parameters, found))
}
// ANCHOR_END: sampling

#[test]
fn a_conditional_model_trains_resumes_and_samples() -> Outcome {
    let (whole, broken) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (at_once, found) = program(whole.path(), 1200)?;
    program(broken.path(), 150)?;
    let (in_two, _) = program(broken.path(), 1200)?;
    for (name, var) in Variables::from(&at_once).iter() {
        let bits = |var: &candle_core::Var| -> Outcome<Vec<f32>> { Ok(var.flatten_all()?.to_vec1()?) };
        let other = Variables::from(&in_two).get(name).cloned().ok_or("another set of variables")?;
        assert!(bits(var)?.iter().zip(bits(&other)?).all(|(a, b)| a.to_bits() == b.to_bits()), "{name} after stopping and going on");
    }
    assert!((found[0] - 0.6).abs() < 0.25 && (found[1] - 1.4).abs() < 0.25, "{found:?}");
    Ok(())
}
