//! The process, the loss and the prediction of the network that the settings describe.

use crate::Result;
use crate::experiment::{CouplingKind, Diffusion, LossKind, Normaliser, PathKind, PredictionKind, ScheduleKind, TimesKind};
use crate::models::MoleculeDenoiser;
use crate::reconstruction::MoleculeReconstruction;
use candle_nn::VarBuilder;
use symdiff_core::MarkovKernel;
use symdiff_diffusion::{
    Aligned, At, Continuous, Cosine, Coupling, Denoiser, Eps, Independent, Kabsch, L2, LearnedSchedule, Linear, LogNormal, LogitNormal,
    Objective, Path, Polynomial, Preconditioned, Process, Reading, Residual, Schedule, Sigmoid, Target, TimeLaw, UniformTimes,
    VarianceExploding, VariancePreserving, Vlb, Weighting,
};
use symdiff_groups::{Points, SpecialOrthogonal};
use symdiff_mol::state::Molecules;
use symdiff_ops::Noise;

/// The process: at T discrete times for the losses of the paper, at times in \[0, 1\] for others.
pub(crate) fn process(settings: &Diffusion, vb: VarBuilder) -> Result<Process> {
    let steps = settings.steps;
    let continuous = settings.loss == LossKind::Continuous;
    let polynomial = |power| Polynomial { power, precision: settings.precision };
    let schedule = || -> Result<Box<dyn Schedule>> {
        Ok(match (settings.schedule, continuous) {
            (ScheduleKind::Polynomial { power }, false) => Box::new(polynomial(power).tabulated(steps)?),
            (ScheduleKind::Polynomial { power }, true) => Box::new(polynomial(power)),
            (ScheduleKind::Cosine, false) => Box::new(Cosine::default().tabulated(steps)?),
            (ScheduleKind::Cosine, true) => Box::new(Cosine::default()),
            (ScheduleKind::Sigmoid, false) => Box::new(Sigmoid::default().tabulated(steps)?),
            (ScheduleKind::Sigmoid, true) => Box::new(Sigmoid::default()),
            (ScheduleKind::Learned, _) => Box::new(LearnedSchedule::new(vb.pp("gamma"))?),
        })
    };
    match settings.path {
        PathKind::VariancePreserving => along(VariancePreserving(schedule()?), steps, continuous),
        PathKind::VarianceExploding { lowest, highest } => along(VarianceExploding::new(lowest, highest)?, steps, continuous),
        PathKind::Linear { margin } => along(Linear::new(margin)?, steps, continuous),
    }
}

fn along(path: impl Path + 'static, steps: usize, continuous: bool) -> Result<Process> {
    Ok(if continuous { Process::continuous(path, steps)? } else { Process::new(path, steps)? })
}

/// What training minimises.
pub(crate) fn objective(
    settings: &Diffusion,
    process: &Process,
    data: &MoleculeReconstruction,
) -> Result<Box<dyn Objective<Molecules> + Send + Sync>> {
    let (process, data) = (process.clone(), data.clone());
    let weighting = match settings.normaliser {
        Normaliser::Batch => Weighting::Batch,
        Normaliser::Sample => Weighting::Sample,
    };
    Ok(match settings.loss {
        LossKind::L2 => Box::new(L2 { process, data, weighting }),
        LossKind::Vlb => Box::new(Vlb { process, data }),
        LossKind::Continuous => {
            let loss = settings.continuous.unwrap_or_default();
            let times: Box<dyn TimeLaw + Send + Sync> = match loss.times {
                TimesKind::Uniform => Box::new(UniformTimes),
                TimesKind::LogitNormal { mean, deviation } => Box::new(LogitNormal::new(mean, deviation)?),
                TimesKind::LogNormal { mean, deviation } => Box::new(LogNormal::new(mean, deviation)?),
            };
            let coupling: Box<dyn Coupling<Molecules> + Send + Sync> = match loss.coupling {
                CouplingKind::Independent => Box::new(Independent),
                CouplingKind::Aligned => {
                    let so3 = SpecialOrthogonal::new(3);
                    Box::new(Aligned::new(move |_: &Molecules| so3, Kabsch::new(so3, positions)))
                }
            };
            Box::new(Continuous { process, target: loss.target, times, weight: loss.weight.weight(), coupling, weighting })
        }
    })
}

/// A network as a denoiser, by what it predicts.
pub(crate) fn denoiser(settings: &Diffusion, process: &Process, network: MoleculeDenoiser) -> Result<MoleculeDenoiser> {
    let read = |network, target| Box::new(Reading::new(network, process.clone(), target));
    Ok(match settings.prediction {
        PredictionKind::Noise => network,
        PredictionKind::Data => read(network, Target::Data),
        PredictionKind::Velocity => read(network, Target::Velocity),
        PredictionKind::Score => read(network, Target::Score),
        PredictionKind::Residual => Box::new(Preconditioned::new(Remainder(network), process.clone(), settings.deviation)?),
    })
}

/// The positions of molecules, to be aligned.
fn positions(molecules: &Molecules) -> symdiff_core::Result<Points> {
    Ok(Points::new(molecules.positions().clone(), molecules.layout().clone())?)
}

/// A network whose answer is a [`Residual`].
struct Remainder(MoleculeDenoiser);

impl MarkovKernel<At<Molecules>> for Remainder {
    type Out = Residual<Molecules>;

    fn sample(&self, at: &At<Molecules>, noise: Noise) -> symdiff_core::Result<Residual<Molecules>> {
        let network: &dyn Denoiser<Molecules> = &*self.0;
        let Eps(said) = network.sample(at, noise)?;
        Ok(Residual(said))
    }
}
