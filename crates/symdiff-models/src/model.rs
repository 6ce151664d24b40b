//! A model: a denoiser with its process.

use crate::experiment::{Diffusion, Experiment};
use crate::models::{Inputs, MoleculeDenoiser};
use crate::reconstruction::MoleculeReconstruction;
use crate::settled::Settled;
use crate::{Asked, Result, diffusion, memory};
use candle_core::{DType, Device, Tensor};
use symdiff_diffusion::{Denoiser, Guidance, Likelihood, Objective, Process, Reverse, Tabulated, Unconditional, VariancePreserving};
use symdiff_mol::state::{Encoding, Molecules};
use symdiff_ops::Noise;
use symdiff_ops::linear::LaidOut;
use symdiff_train::Parameters;

/// A model of molecules.
pub struct Model {
    /// Its parameters.
    pub parameters: Parameters,
    /// How atoms become features.
    pub encoding: Encoding,
    /// The forward process.
    pub process: Process,
    /// p(x, h | z₀).
    pub reconstruction: MoleculeReconstruction,
    /// ε(z, t), given what is asked.
    pub denoiser: MoleculeDenoiser,
    /// Whether the denoiser takes fixed atoms, so that it completes what is kept.
    pub completes: bool,
    objective: Box<dyn Objective<Molecules, Asked> + Send + Sync>,
    /// The weights of a settled model.
    laid_out: LaidOut,
}

impl Model {
    /// A model with fresh parameters, drawn from `seed` and `noise`.
    ///
    /// # Errors
    /// When the experiment names something that does not exist, or sizes do not fit.
    pub fn fresh(experiment: &Experiment, seed: u64, noise: Noise, device: &Device) -> Result<Self> {
        let parameters = Parameters::new(seed, DType::F32, device).activating(experiment.train.precision.dtype());
        Self::build(experiment, parameters, noise, None)
    }

    /// A model to sample from, whose parameters will be loaded; it builds no graph.
    ///
    /// # Errors
    /// As [`Model::fresh`].
    pub fn frozen(experiment: &Experiment, device: &Device) -> Result<Self> {
        Self::frozen_under(experiment, None, device)
    }

    /// The same with the table of a fixed schedule from an imported checkpoint.
    pub(crate) fn frozen_under(experiment: &Experiment, table: Option<Tabulated>, device: &Device) -> Result<Self> {
        let parameters = Parameters::new(0, DType::F32, device).activating(experiment.train.precision.dtype());
        Self::build(experiment, parameters.frozen(), Noise::seeded(0), table)
    }

    /// The same model, whose parameters no longer change: its denoiser lays out weights in its first call, for all others (see [`LaidOut`](symdiff_ops::linear::LaidOut)).
    /// Parameters that are set after a call do not reach the following ones.
    #[must_use]
    pub fn settled(self) -> Self {
        Self { denoiser: Box::new(Settled::new(self.denoiser, self.laid_out.clone())), ..self }
    }

    /// Tells the denoiser of a settled model that its parameters have changed all the same.
    pub(crate) fn unsettled(&self) {
        self.laid_out.forget();
    }

    /// The training loss of each molecule, given what is told of it, `[B]` in f64.
    ///
    /// # Errors
    /// Whatever the denoiser returns.
    pub fn loss(&self, clean: &Molecules, asked: &Asked, noise: Noise) -> Result<Tensor> {
        Ok(self.objective.loss(&*self.denoiser, clean, asked, noise)?)
    }

    /// A one-draw estimate of each molecule's negative log-likelihood given its size, where nothing is asked.
    ///
    /// # Errors
    /// Whatever the denoiser returns.
    pub fn likelihood(&self, clean: &Molecules, noise: Noise) -> Result<Likelihood> {
        Ok(Likelihood::estimate(&self.process, &self.reconstruction, &*self.denoiser, clean, &Asked::default(), noise)?)
    }

    /// The learned reverse process, given what is asked.
    pub fn reverse<'a>(&'a self, asked: &'a Asked) -> Reverse<'a, Molecules, MoleculeReconstruction, Asked> {
        Reverse { process: &self.process, denoiser: &*self.denoiser, data: &self.reconstruction, given: asked }
    }

    /// A model of any network on molecules, one of your own say, under the process, the prediction and the loss that `settings` name.
    ///
    /// # Errors
    /// When the process cannot be made.
    pub fn of(
        network: Box<dyn Denoiser<Molecules> + Send + Sync>,
        parameters: Parameters,
        encoding: Encoding,
        settings: &Diffusion,
    ) -> Result<Self> {
        let process = diffusion::process(settings, parameters.builder())?;
        Self::under(process, Box::new(Unconditional(network)), false, parameters, encoding, settings)
    }

    /// The same model, its parameters shared, guided otherwise.
    pub(crate) fn guided(&self, experiment: &Experiment, guidance: Guidance) -> Result<Self> {
        let inputs = Inputs { guidance, ..experiment.inputs() };
        let denoiser = experiment.model.build(inputs, Noise::seeded(0), self.parameters.builder())?;
        let (process, parameters, encoding) = (self.process.clone(), self.parameters.clone(), self.encoding.clone());
        Self::under(process, denoiser, inputs.fixed, parameters, encoding, &experiment.diffusion)
    }

    fn under(
        process: Process,
        network: MoleculeDenoiser,
        completes: bool,
        parameters: Parameters,
        encoding: Encoding,
        settings: &Diffusion,
    ) -> Result<Self> {
        let data = MoleculeReconstruction::new(encoding.clone());
        let objective = diffusion::objective(settings, &process, &data)?;
        let denoiser = diffusion::denoiser(settings, &process, network)?;
        Ok(Self { parameters, encoding, process, reconstruction: data, denoiser, completes, objective, laid_out: LaidOut::default() })
    }

    fn build(experiment: &Experiment, parameters: Parameters, noise: Noise, table: Option<Tabulated>) -> Result<Self> {
        memory::check_parameters(experiment, parameters.device())?;
        let encoding = experiment.encoding();
        let inputs = experiment.inputs();
        let denoiser = experiment.model.build(inputs, noise, parameters.builder())?;
        let process = match table {
            Some(table) => Process::new(VariancePreserving(table), experiment.diffusion.steps)?,
            None => diffusion::process(&experiment.diffusion, parameters.builder())?,
        };
        Self::under(process, denoiser, inputs.fixed, parameters, encoding, &experiment.diffusion)
    }
}
