//! The deviation of a model from equivariance under O(3).

use super::subject::Subject;
use candle_core::DType;
use clap::Args;
use serde_json::{Value, json};
use symdiff_cli::{Context, Failure, Outcome};
use symdiff_core::testing::{coupled_gap, equivariance_error};
use symdiff_core::{Haar, MarkovKernel};
use symdiff_diffusion::{At, Eps, Times};
use symdiff_groups::{Chart, GramSchmidt, Observe, Orthogonal};
use symdiff_models::models::{Gamma, Measure, MoleculeDenoiser};
use symdiff_models::{Asked, ModelConfig};
use symdiff_mol::state::Molecules;
use symdiff_ops::{Noise, Samples};
use symdiff_train::Parameters;

/// The standard deviation of normal draws added to each parameter: the last layer of a fresh model is zero, or nearly, so that every error would vanish.
const PERTURBATION: f64 = 0.05;

/// The model to test, and the number of draws.
#[derive(Args)]
pub(crate) struct Equivariance {
    #[command(flatten)]
    subject: Subject,
    /// Molecules per batch.
    #[arg(long, default_value_t = 2)]
    batch: usize,
    /// Draws of the group element.
    #[arg(long, default_value_t = 4)]
    draws: usize,
}

impl Equivariance {
    pub(super) fn run(&self, context: &Context) -> Outcome<Value> {
        if self.batch == 0 || self.draws < 2 {
            return Err(Failure::input("--batch must be at least 1 and --draws at least 2"));
        }
        let device = context.device()?;
        let experiment = self.subject.experiment("f32")?;
        let encoding = experiment.encoding();
        let parameters = Parameters::new(context.seed(), DType::F32, &device).frozen();
        let batch = self.subject.batches(1, self.batch, &encoding, context.seed(), &device)?.remove(0);
        let at = At { state: batch, time: Times::Shared(0.5), given: Asked::default() };
        let (o3, features) = (Orthogonal::new(3), encoding.features());
        let model = Over { measure: Haar(o3), model: &experiment.model, features, parameters: &parameters };
        let [start, pointwise, coupled, plain] = Noise::seeded(context.seed()).split();
        model.build().map_err(Failure::run)?;
        perturb(&parameters, start).map_err(Failure::run)?;
        let size = root_mean_square(&model.answer(&at, plain).map_err(Failure::run)?);
        let error = equivariance_error(&o3, &model, &at, self.draws, pointwise).map_err(Failure::run)?;
        // Frames draw other things than an element of the group, which cannot be moved with the molecule.
        let moves = !matches!(experiment.model.gamma, Gamma::Frames | Gamma::Principal);
        let gap = moves.then(|| coupled_gap(&o3, &at, coupled, |measure| model.over(measure))).transpose().map_err(Failure::run)?;
        Ok(json!({
            "config": self.subject.model,
            "parameters": parameters.count(),
            "batch": self.batch,
            "draws": self.draws,
            "atoms": at.state.layout().nodes() as f64 / self.batch as f64,
            "device": context.device,
            "pointwise_error": error.value.sqrt(),
            "coupled_gap": gap.map(|gap| gap / size),
        }))
    }
}

/// A model over a measure on O(3), made anew from the parameters whenever it is asked.
struct Over<'a, M> {
    measure: M,
    model: &'a ModelConfig,
    features: usize,
    parameters: &'a Parameters,
}

impl<'a, M: Measure> Over<'a, M>
where
    GramSchmidt: Chart<M::Group>,
{
    fn over<N>(&self, measure: N) -> Over<'a, N> {
        Over { measure, model: self.model, features: self.features, parameters: self.parameters }
    }

    fn build(&self) -> symdiff_models::Result<MoleculeDenoiser> {
        self.model.build_over(self.measure.clone(), self.features, Noise::seeded(0), self.parameters.builder())
    }

    /// The numbers of one draw.
    fn answer(&self, at: &At<Molecules, Asked>, noise: Noise) -> symdiff_core::Result<Vec<Vec<f64>>> {
        Ok(self.sample(at, noise)?.observe()?)
    }
}

impl<M: Measure> MarkovKernel<At<Molecules, Asked>> for Over<'_, M>
where
    GramSchmidt: Chart<M::Group>,
{
    type Out = Eps<Molecules>;

    fn sample(&self, at: &At<Molecules, Asked>, noise: Noise) -> symdiff_core::Result<Eps<Molecules>> {
        self.build().map_err(symdiff_core::Error::kernel)?.sample(at, noise)
    }
}

/// Adds normals times [`PERTURBATION`] to every parameter, in the order of names.
fn perturb(parameters: &Parameters, noise: Noise) -> symdiff_models::Result<()> {
    let draws = noise.steps();
    for (place, (_, var)) in parameters.named().into_iter().enumerate() {
        let normal = draws.at(place as u64).normal(&Samples::numbered(1), var.dims(), var.dtype(), var.device())?;
        var.set(&(var.as_tensor() + (normal.squeeze(0)? * PERTURBATION)?)?)?;
    }
    Ok(())
}

fn root_mean_square(rows: &[Vec<f64>]) -> f64 {
    let squares: Vec<f64> = rows.iter().flatten().map(|value| value * value).collect();
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}
