//! The network: a model read at time 0.

use crate::models::{Gamma, MoleculeDenoiser};
use crate::{Asked, Error, Experiment, Result, memory};
use candle_core::{DType, Device, Tensor};
use symdiff_diffusion::{At, Eps, Times};
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_nets::{Linear, Start};
use symdiff_ops::{Noise, segment_sum, silu};
use symdiff_train::Parameters;

/// A network that predicts a property of a molecule.
pub struct PropertyNetwork {
    /// Its parameters.
    pub parameters: Parameters,
    /// How atoms become features.
    pub encoding: Encoding,
    /// Its answer on features is what atoms add to the sum.
    atoms: MoleculeDenoiser,
    read_out: [Linear; 2],
    channels: usize,
    /// Draws of γ over which a value is averaged; 1 where nothing is drawn.
    frames: usize,
}

/// Draws of γ over which values are averaged outside of training.
const FRAMES: usize = 8;

impl PropertyNetwork {
    /// A network with fresh parameters, drawn from `seed` and `noise`.
    ///
    /// # Errors
    /// [`Error::Config`] when the experiment has no `[property]`, or sizes do not fit.
    pub fn fresh(experiment: &Experiment, seed: u64, noise: Noise, device: &Device) -> Result<Self> {
        let parameters = Parameters::new(seed, DType::F32, device).activating(experiment.train.precision.dtype());
        Self::build(experiment, parameters, noise)
    }

    /// A network whose parameters will be loaded; it builds no graph.
    ///
    /// # Errors
    /// As [`PropertyNetwork::fresh`].
    pub fn frozen(experiment: &Experiment, device: &Device) -> Result<Self> {
        let parameters = Parameters::new(0, DType::F32, device).activating(experiment.train.precision.dtype());
        Self::build(experiment, parameters.frozen(), Noise::seeded(0))
    }

    /// The normalised value of each molecule under one draw of γ, `[B]` in f64, differentiable.
    ///
    /// # Errors
    /// Whatever the model returns.
    pub fn value(&self, clean: &Molecules, noise: Noise) -> Result<Tensor> {
        let (features, layout) = (clean.features(), clean.layout());
        // Features of the atom, then zeros: what comes out is as wide as what goes in.
        let wide = features.pad_with_zeros(1, 0, self.channels - features.dims2()?.1)?;
        let state = Molecules::new(clean.positions().clone(), wide, layout.clone())?;
        let Eps(answer) = self.atoms.sample(&At { state, time: Times::Shared(0.0), given: Asked::default() }, noise)?;
        let [inner, outer] = &self.read_out;
        let hidden = silu(&inner.forward(&segment_sum(answer.features(), layout)?)?)?;
        Ok(outer.forward(&hidden)?.squeeze(1)?.to_dtype(DType::F64)?)
    }

    /// The mean of [`value`](Self::value) over draws of γ, where it draws.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn mean_value(&self, clean: &Molecules, noise: Noise) -> Result<Vec<f64>> {
        let mut mean = vec![0.0; clean.layout().len()];
        for noise in noise.repeats(self.frames) {
            let values = self.value(clean, noise)?.to_vec1::<f64>()?;
            mean.iter_mut().zip(values).for_each(|(mean, value)| *mean += value / self.frames as f64);
        }
        Ok(mean)
    }

    fn build(experiment: &Experiment, parameters: Parameters, noise: Noise) -> Result<Self> {
        let missing = || Error::Config("there is no [property]; name one, as in property.name=gap".into());
        let channels = experiment.property.as_ref().ok_or_else(missing)?.channels;
        memory::check_parameters(experiment, parameters.device())?;
        let atoms = experiment.model.build(experiment.inputs(), noise, parameters.builder())?;
        let vb = parameters.builder().pp("property");
        let read_out = [Linear::new(channels, channels, Start::Torch, vb.pp("0"))?, Linear::new(channels, 1, Start::Torch, vb.pp("2"))?];
        let frames = if experiment.model.gamma == Gamma::None { 1 } else { FRAMES };
        Ok(Self { parameters, encoding: experiment.encoding(), atoms, read_out, channels, frames })
    }
}
