//! A state, a network and a task of your own: letters of the plane, drawn by a diffusion model that is equivariant under SO(2).
//!
//! `cargo run --release -p symdiff-train --example own_state -- --out pictures` trains, stops half-way, resumes, and compares with a run that was
//! not stopped. `own_state.svg` shows data above and samples below: the letter in every direction, though neither network is equivariant under rotations.

use candle_core::{DType, Device, Tensor};
use candle_nn::{Linear, Module, VarBuilder, linear};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use symdiff_core::{Map, MarkovKernelExt};
use symdiff_diffusion::{Ancestral, At, Cosine, Denoiser, Eps, Framing, Gaussian, L2, Objective, Process, Reverse, Uniform};
use symdiff_diffusion::{VariancePreserving, Weighting};
use symdiff_figures::{Figure, Frame, Layer, Style};
use symdiff_groups::{Action, Cloud, CompactGroup, Dense, GramSchmidt, SpecialOrthogonal, act_as, dense};
use symdiff_ops::{Noise, Samples};
use symdiff_train::{CHECKPOINT, Error, Parameters, Settings, Share, Streams, Task, Trainer, checkpoint};

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

dense! {
    /// The points of a pen stroke, in order.
    pub struct Stroke [B, m, n];
}
act_as!(Stroke as Cloud for SpecialOrthogonal);

/// The letter R.
const R: [[f32; 2]; 8] = [[-0.6, -1.0], [-0.6, 0.0], [-0.6, 1.0], [0.1, 1.0], [0.6, 0.6], [0.1, 0.1], [-0.5, 0.0], [0.6, -1.0]];
const NUMBERS: usize = 2 * R.len();

/// Three layers of Candle's own.
struct Perceptron([Linear; 3]);

impl Perceptron {
    fn new(outputs: usize, vb: VarBuilder) -> candle_core::Result<Self> {
        Ok(Self([linear(NUMBERS + 1, 128, vb.pp(0))?, linear(128, 128, vb.pp(1))?, linear(128, outputs, vb.pp(2))?]))
    }

    /// Sees coordinates and time, flattened.
    fn forward(&self, x: &At<Stroke>) -> candle_core::Result<Tensor> {
        let points = x.state.tensor().flatten_from(1)?;
        let time = x.time.tensor(points.dtype(), points.device())?.unsqueeze(1)?.expand((points.dim(0)?, 1))?;
        let [a, b, c] = &self.0;
        c.forward(&b.forward(&a.forward(&Tensor::cat(&[points, time], 1)?)?.silu()?)?.silu()?)
    }
}

/// Randomly rotated letters with some noise, and the denoiser that is trained on them.
struct Letters {
    process: Process,
    denoiser: Box<dyn Denoiser<Stroke> + Send + Sync>,
}

impl Letters {
    fn new(parameters: &Parameters) -> Fallible<Self> {
        let vb = parameters.builder();
        let (k, f) = (Perceptron::new(NUMBERS, vb.pp("k"))?, Perceptron::new(4, vb.pp("f"))?);
        let k = Map::new(move |x: &At<Stroke>| Ok(Eps(Stroke::new(k.forward(x)?.reshape(x.state.tensor().shape())?)?)));
        let f = Map::new(move |x: &At<Stroke>| Ok(f.forward(x)?.reshape(((), 2, 2))?));
        let gamma = f.charted(SpecialOrthogonal::new(2), GramSchmidt::columns()).haar_symmetrised(); // g₀ · f(g₀⁻¹·x)
        let denoiser = Box::new(k.symmetrised(gamma)); // g · k(g⁻¹·x)
        Ok(Self { process: Process::new(VariancePreserving(Cosine::default().tabulated(100)?), 100)?, denoiser })
    }
}

impl Task for Letters {
    type Batch = Stroke;
    type Error = Error;

    fn batch(&self, step: u64, share: Share) -> Result<Stroke, Error> {
        let samples = Samples::new(share.range(64).map(|sample| sample as u64).collect::<Vec<_>>());
        let [hand, turn] = Streams::of(7).data.steps().at(step).split();
        let trembling = (hand.normal(&samples, &[R.len(), 2], DType::F32, &Device::Cpu)? * 0.03)?;
        let upright = Stroke::new(trembling.broadcast_add(&Tensor::new(&R, &Device::Cpu)?)?).map_err(Error::task)?;
        let so2 = SpecialOrthogonal::new(2);
        so2.haar(&upright, turn).and_then(|turn| upright.act(&so2, &turn)).map_err(Error::task)
    }

    fn loss(&self, batch: &Stroke, noise: Noise) -> Result<Tensor, Error> {
        let objective = L2 { process: self.process.clone(), data: Gaussian::default(), weighting: Weighting::Sample };
        objective.loss(&*self.denoiser, batch, &(), noise).map_err(Error::task)
    }
}

/// Trains in `folder` up to this many steps, resuming from an earlier call. The returned model has the averaged weights.
fn train(folder: &Path, steps: u64) -> Fallible<(Letters, u64)> {
    let settings = Settings { batch: 64, lr: 1e-3, ema: 0.99, steps, ..Settings::default() };
    let parameters = Parameters::new(0, DType::F32, &Device::Cpu);
    let begin = if Trainer::<Letters>::has_checkpoint(folder) { Trainer::resume } else { Trainer::start };
    let summary = begin(Letters::new(&parameters)?, &parameters, settings, 0, folder)?.run(&mut |_| ControlFlow::Continue(()))?;
    println!("{} steps, loss {:.4}", summary.steps, summary.loss);
    let mut trained = checkpoint::load(&folder.join(CHECKPOINT), &Device::Cpu)?;
    parameters.load(&trained.take("ema")?)?;
    Ok((Letters::new(&parameters)?, trained.weights_hash))
}

fn main() -> Fallible {
    let out = std::env::args().skip_while(|word| word != "--out").nth(1).map_or_else(|| PathBuf::from("pictures"), PathBuf::from);
    let (whole, broken) = (tempfile::tempdir()?, tempfile::tempdir()?);
    train(broken.path(), 1500)?;
    let ((_, resumed), (letters, unbroken)) = (train(broken.path(), 4000)?, train(whole.path(), 4000)?);
    println!("resumed to the same bits: {}", resumed == unbroken);

    let like = Stroke::new(Tensor::zeros((12, R.len(), 2), DType::F32, &Device::Cpu)?)?;
    let reverse = Reverse { process: &letters.process, denoiser: &*letters.denoiser, data: &Gaussian::default(), given: &() };
    let times = letters.process.times(&Uniform, 100)?;
    let drawn = reverse.sample(&Ancestral, &times, Framing::default(), &like, Noise::seeded(5), &mut |_, _| ())?;
    let rows = [letters.batch(0, Share::WHOLE)?.tensor().narrow(0, 0, 12)?, drawn.tensor().clone()];
    let strokes = Tensor::cat(&rows, 0)?.to_vec3::<f32>()?;
    let layers = strokes.iter().enumerate().map(|(place, stroke)| {
        let (column, row) = ((3 * (place % 12)) as f32, (3 * (place / 12)) as f32);
        let points = stroke.iter().map(|p| (f64::from(column + p[0]), f64::from(p[1] - row))).collect();
        Layer { label: None, style: Style::Line(place / 12), points }
    });
    let figure = Figure { name: "own_state".into(), title: "Data and samples".into(), frame: Frame::Plane, layers: layers.collect() };
    std::fs::create_dir_all(&out)?;
    Ok(figure.save(&out)?)
}
