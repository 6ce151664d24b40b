//! Models of the sizes that a golden file's header states, with its weights.

use super::golden::Golden;
use crate::experiment::{Data, Diffusion, Experiment, LossKind};
use crate::models::{Backbone, DitSizes, EgnnSizes, Gamma, GammaSizes, GnnSizes, GraphSizes, GroupChoice, MlpType, ModelConfig, PairSizes};
use crate::{Model, Result};
use symdiff_ops::Noise;
use symdiff_train::Settings;

/// The transformer denoiser alone; the pair features' bias as for `pad` atoms.
pub(super) fn dit(golden: &Golden, pad: Option<usize>) -> Result<ModelConfig> {
    let sizes = DitSizes {
        embedding: golden.size("xh_hidden")?,
        gaussians: golden.size("K")?,
        hidden: golden.size("hidden")?,
        depth: golden.size("depth")?,
        heads: golden.size("heads")?,
        ratio: golden.size("ratio")?,
        mlp_type: MlpType::Swiglu,
    };
    Ok(ModelConfig {
        preset: None,
        group: GroupChoice::O3,
        backbone: Backbone::Dit(sizes),
        gamma: Gamma::None,
        padding_compat: pad.map(Into::into),
    })
}

/// The draws of one training step, in the order of the program.
pub(super) const DRAWS: [&str; 4] = ["in.t_int", "in.eps_raw", "in.haar_gauss", "in.gamma_noise"];

/// How the published code turns γ's 3 × 3 output into a group element.
#[derive(Clone, Copy)]
pub(super) struct Convention {
    /// Gram–Schmidt on rows.
    pub(super) rows: bool,
    /// f·g₀⁻¹ instead of g₀·f.
    pub(super) released: bool,
}

/// What the published scripts run.
pub(super) const PUBLISHED: Convention = Convention { rows: false, released: true };

/// The symmetrised denoiser.
pub(super) fn symdiff(golden: &Golden, convention: Convention, pad: Option<usize>) -> Result<ModelConfig> {
    Ok(ModelConfig { gamma: Gamma::Learned(gamma(golden, convention)?), ..dit(golden, pad)? })
}

/// SymDiff as it trains: its bias counts the batch's longest molecule.
pub(super) fn symdiff_in_training(golden: &Golden, convention: Convention) -> Result<ModelConfig> {
    symdiff(golden, convention, Some(golden.layout()?.longest()))
}

/// The sizes of γ.
pub(super) fn gamma(golden: &Golden, Convention { rows, released }: Convention) -> Result<GammaSizes> {
    Ok(GammaSizes {
        hidden: golden.size("enc_hidden")?,
        depth: golden.size("enc_depth")?,
        heads: golden.size("enc_heads")?,
        ratio: golden.size("enc_ratio")?,
        mlp_type: MlpType::Swiglu,
        decoder: golden.size("dec_hidden")?,
        noise: golden.size("noise_dims")?,
        noise_scale: golden.number("noise_std", 1.0),
        pairs: PairSizes::default(),
        rows,
        released,
    })
}

/// EDM's graph network; a mean over senders is over `pad` rows.
pub(super) fn egnn(golden: &Golden, pad: Option<usize>) -> Result<ModelConfig> {
    Ok(ModelConfig {
        preset: None,
        group: GroupChoice::O3,
        backbone: Backbone::Egnn(EgnnSizes(graph(golden)?)),
        gamma: Gamma::None,
        padding_compat: pad.map(Into::into),
    })
}

/// Its variant without geometry, where `pad` − n rows of padding send messages too.
pub(super) fn gnn(golden: &Golden, pad: Option<usize>) -> Result<ModelConfig> {
    Ok(ModelConfig { backbone: Backbone::Gnn(GnnSizes(graph(golden)?)), ..egnn(golden, pad)? })
}

fn graph(golden: &Golden) -> Result<GraphSizes> {
    Ok(GraphSizes {
        width: golden.size("nf")?,
        layers: golden.size("layers")?,
        sublayers: golden.number("sublayers", 1.0) as usize,
        attention: golden.switch("attention", true),
        tanh: golden.switch("tanh", true),
        constant: golden.number("norm_constant", 1.0),
        divisor: golden.number("normalization_factor", 1.0),
        mean: golden.word("aggregation", "sum") == "mean",
    })
}

/// A model with the file's weights.
pub(super) fn load(golden: &Golden, model: ModelConfig, diffusion: Diffusion) -> Result<Model> {
    let experiment = Experiment { data: Data::default(), model, diffusion, train: Settings::default(), property: None };
    let model = Model::fresh(&experiment, 0, Noise::seeded(0), golden.device())?;
    model.parameters.load(&golden.weights())?;
    Ok(model)
}

/// The process of the published runs, with the header's number of steps.
pub(super) fn diffusion(golden: &Golden, loss: LossKind) -> Diffusion {
    let default = Diffusion::default();
    Diffusion { steps: golden.number("T", default.steps as f64) as usize, loss, ..default }
}
