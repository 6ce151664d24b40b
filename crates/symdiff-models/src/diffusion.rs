//! The process, the loss and the prediction of the network that the settings describe.

use crate::experiment::{CouplingKind, Diffusion, LossKind, Normaliser, PathKind, PredictionKind, ScheduleKind, TimesKind};
use crate::models::MoleculeDenoiser;
use crate::reconstruction::MoleculeReconstruction;
use crate::{Asked, Result};
use candle_nn::VarBuilder;
use symdiff_core::MarkovKernel;
use symdiff_diffusion::{
    Aligned, Assignment, At, Continuous, Cosine, Coupling, Denoiser, Eps, Importance, Independent, Kabsch, L2, LearnedSchedule, LinearPath,
    LogNormal, LogitNormal, Objective, Path, Polynomial, Preconditioned, Process, Reading, Residual, Schedule, Sigmoid, Target, TimeLaw,
    UniformTimes, VarianceExploding, VariancePreserving, Vlb, Weighting,
};
use symdiff_groups::{Points, SpecialOrthogonal};
use symdiff_mol::state::{AtomPermutations, Molecules};
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
        PathKind::Linear { margin } => along(LinearPath::new(margin)?, steps, continuous),
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
) -> Result<Box<dyn Objective<Molecules, Asked> + Send + Sync>> {
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
                TimesKind::Importance { deviation } => Box::new(Importance::new(&process, loss.target, loss.weight.weight(), deviation)?),
            };
            let coupling = coupling(loss.coupling);
            Box::new(Continuous { process, target: loss.target, times, weight: loss.weight.weight(), coupling, weighting })
        }
    })
}

/// How data and noise are paired.
fn coupling(kind: CouplingKind) -> Box<dyn Coupling<Molecules, Asked> + Send + Sync> {
    let so3 = SpecialOrthogonal::new(3);
    let rotated = Aligned::new(move |_: &Molecules| so3, Kabsch::new(so3, positions));
    match kind {
        CouplingKind::Independent => Box::new(Independent),
        CouplingKind::Aligned => Box::new(rotated),
        CouplingKind::Assigned => {
            let atoms = |molecules: &Molecules| AtomPermutations::of(molecules.layout());
            Box::new(rotated.after(Aligned::new(atoms, Assignment::new(rows))))
        }
    }
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

/// Positions and features of atoms, to be assigned: what has to travel from noise to data.
fn rows(molecules: &Molecules) -> symdiff_core::Result<Points> {
    Ok(Points::new(molecules.joined()?, molecules.layout().clone())?)
}

/// The positions of molecules, to be aligned.
fn positions(molecules: &Molecules) -> symdiff_core::Result<Points> {
    Ok(Points::new(molecules.positions().clone(), molecules.layout().clone())?)
}

/// A network whose answer is a [`Residual`].
struct Remainder(MoleculeDenoiser);

impl MarkovKernel<At<Molecules, Asked>> for Remainder {
    type Out = Residual<Molecules>;

    fn sample(&self, at: &At<Molecules, Asked>, noise: Noise) -> symdiff_core::Result<Residual<Molecules>> {
        let network: &dyn Denoiser<Molecules, Asked> = &*self.0;
        let Eps(said) = network.sample(at, noise)?;
        Ok(Residual(said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};
    use symdiff_mol::data::embedded;
    use symdiff_mol::state::Encoding;
    use symdiff_ops::{Euclidean, Samples};

    /// Alignment moves molecules within their orbit, each kind closer to the noise than the one before; the noise stays.
    #[test]
    fn couplings_of_molecules_bring_them_closer_to_the_same_noise() -> Result<()> {
        let places: Vec<usize> = (0..40).map(|k| 37 * k).collect();
        let clean = Encoding::qm9().encode(embedded(), &places, Samples::numbered(places.len()), DType::F64, &Device::Cpu)?;
        let one = clean.squared_norms()?.ones_like()?;
        let mut before: Option<Vec<f64>> = None;
        for kind in [CouplingKind::Independent, CouplingKind::Aligned, CouplingKind::Assigned] {
            let pair = coupling(kind).pair(&clean, &Asked::default(), Noise::seeded(1))?;
            let distances = pair.clean.combine(&one, &pair.eps, &one.neg()?)?.squared_norms()?.to_vec1::<f64>()?;
            if let Some(before) = before.replace(distances.clone()) {
                let total = |distances: &[f64]| distances.iter().sum::<f64>();
                assert!(total(&distances) < 0.97 * total(&before), "{kind:?}: {} after {}", total(&distances), total(&before));
            }
            assert_eq!(invariants(&pair.clean)?, invariants(&clean)?, "{kind:?}");
            assert!(pair.clean.centred()?.positions().sub(pair.clean.positions())?.abs()?.max_all()?.to_scalar::<f64>()? < 1e-12);
        }
        Ok(())
    }

    /// Each atom's features and distance from the centre in 1e-6 Å, sorted within its molecule.
    fn invariants(molecules: &Molecules) -> Result<Vec<Vec<Vec<i64>>>> {
        let radius = molecules.positions().sqr()?.sum_keepdim(1)?.sqrt()?;
        let rows = candle_core::Tensor::cat(&[&radius, molecules.features()], 1)?.to_vec2::<f64>()?;
        let rounded: Vec<Vec<i64>> = rows.iter().map(|row| row.iter().map(|x| (x * 1e6).round() as i64).collect()).collect();
        let mut atoms: Vec<_> = (0..molecules.layout().len()).map(|sample| rounded[molecules.layout().rows(sample)].to_vec()).collect();
        for atoms in &mut atoms {
            atoms.sort();
        }
        Ok(atoms)
    }
}
