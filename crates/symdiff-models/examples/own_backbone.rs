//! A Candle module of your own as k and as f, on molecules: trained, saved, sampled and evaluated by the same code as the published models.
//!
//! ```text
//! cargo run --release -p symdiff-models --example own_backbone -- --out pictures
//! ```
//!
//! `loss.svg` shows the training.
//!
//! The network is not equivariant under rotations: its input at an atom is the atom's coordinates and features, the time, and the mean over the molecule. The
//! last lines test that the symmetrised model, g·k(g⁻¹·x), is equivariant in law.

use candle_core::{DType, Device, Tensor};
use candle_nn::{Linear, Module, VarBuilder, linear};
use std::ops::ControlFlow;
use std::path::PathBuf;
use symdiff_core::testing::LawTest;
use symdiff_core::{Map, MarkovKernelExt};
use symdiff_diffusion::{At, Eps, Times};
use symdiff_figures::losses;
use symdiff_groups::{GramSchmidt, Orthogonal};
use symdiff_models::experiment::Diffusion;
use symdiff_models::{Asked, Model, MoleculeTask, Sampling, Trained};
use symdiff_mol::chemistry::Protocol;
use symdiff_mol::data::embedded;
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::{Noise, Samples, segment_mean, spread};
use symdiff_train::{Parameters, Settings, Trainer, metrics};

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Two layers on an atom's numbers beside the mean of its molecule: Candle's own linear layers, any width.
struct DeepSet {
    inner: Linear,
    outer: Linear,
}

impl DeepSet {
    fn new(inputs: usize, outputs: usize, vb: VarBuilder) -> candle_core::Result<Self> {
        Ok(Self { inner: linear(inputs + 1, 96, vb.pp("inner"))?, outer: linear(2 * 96, outputs, vb.pp("outer"))? })
    }

    /// One row of outputs per atom.
    fn forward(&self, x: &At<Molecules>) -> symdiff_core::Result<Tensor> {
        let (rows, layout) = (x.state.joined()?, x.state.layout());
        let time = spread(&x.time.tensor(rows.dtype(), rows.device())?.unsqueeze(1)?, layout)?;
        let hidden = self.inner.forward(&Tensor::cat(&[rows, time.contiguous()?], 1)?)?.silu()?;
        let mean = spread(&segment_mean(&hidden, layout)?, layout)?;
        Ok(self.outer.forward(&Tensor::cat(&[hidden, mean], 1)?)?)
    }
}

/// The model around the network: k predicts noise, f a 3 × 3 matrix per molecule, which becomes γ = sym_Haar(f).
fn model(parameters: Parameters) -> Fallible<Model> {
    let encoding = Encoding::qm9();
    let width = 3 + encoding.features();
    let vb = parameters.builder();
    let (k, f) = (DeepSet::new(width, width, vb.pp("k"))?, DeepSet::new(width, 9, vb.pp("f"))?);
    let k = Map::new(move |x: &At<Molecules>| Ok(Eps(Molecules::from_joined(&k.forward(x)?, x.state.layout().clone())?.centred()?)));
    let f = Map::new(move |x: &At<Molecules>| Ok(segment_mean(&f.forward(x)?, x.state.layout())?.reshape(((), 3, 3))?));
    let gamma = f.charted(Orthogonal::new(3), GramSchmidt::columns()).haar_symmetrised();
    Ok(Model::of(Box::new(k.symmetrised(gamma)), parameters, encoding, &Diffusion::default())?)
}

fn main() -> Fallible {
    let device = Device::Cpu;
    let folder = tempfile::tempdir()?;
    let settings = Settings { batch: 32, lr: 1e-3, ema: 0.99, steps: 300, ..Settings::default() };
    let fresh = model(Parameters::new(1, DType::F32, &device))?;
    let variables = fresh.parameters.clone();
    let task = MoleculeTask::of(fresh, embedded().clone(), "deep set, width 96", &settings, 1, &device)?;
    let summary = Trainer::start(task, &variables, settings, 1, folder.path())?.run(&mut |_| ControlFlow::Continue(()))?;
    let curve = metrics::rows(folder.path())?.iter().map(|row| (row.step as f64, row.loss)).collect();
    let out = std::env::args().skip_while(|word| word != "--out").nth(1).map_or_else(|| PathBuf::from("pictures"), PathBuf::from);
    std::fs::create_dir_all(&out)?;
    losses("Deep set, symmetrised", &[("deep set".to_owned(), curve)]).save(&out)?;
    println!("{} steps of {} parameters, loss {:.3}", summary.steps, variables.count(), summary.loss);

    let trained = Trained::of(model(Parameters::new(1, DType::F32, &device).frozen())?, folder.path(), &device)?;
    let molecules = trained.sample(&Sampling { steps: Some(50), ..Sampling::of(16, 0) }, &mut |_| ())?;
    let stable = molecules.iter().map(|molecule| Protocol::EdmQm9.judge(molecule)).collect::<Result<Vec<_>, _>>()?;
    let (atoms, good): (usize, usize) =
        stable.iter().fold((0, 0), |(atoms, good), verdict| (atoms + verdict.atoms, good + verdict.stable_atoms));
    println!("{} molecules, {good} of {atoms} atoms stable", molecules.len());
    let nll = trained.nll(embedded(), &embedded().split().test[..64], 1, 32, 0, &mut |_| ())?;
    println!("negative log-likelihood {:.1} ± {:.1} nats", nll.mean, nll.standard_error);

    let copies = vec![embedded().split().test[0]; 400];
    let state = Encoding::qm9().encode(embedded(), &copies, Samples::numbered(400), DType::F32, &device)?;
    let at = At { state, time: Times::Shared(0.5), given: Asked::default() };
    let verdict = LawTest::default().equivariance(&Orthogonal::new(3), &trained.model.denoiser, &at, Noise::seeded(3))?;
    println!("equivariant in law: p = {:.3}", verdict.p_value);
    Ok(())
}
