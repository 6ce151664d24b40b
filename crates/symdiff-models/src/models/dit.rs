//! The non-equivariant denoiser: a transformer on embedded atoms.

use super::backbone::{BackboneSpec, NoiseNet, Place};
use super::defaults::{divided, four};
use super::observed::Observed;
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};
use symdiff_core::{MarkovKernel, MarkovKernelExt};
use symdiff_diffusion::Eps;
use symdiff_mol::state::Molecules;
use symdiff_nets::{Dit, DitConfig, GeluMlp, Linear, MlpType, PairConfig, Start};
use symdiff_ops::{Batched, Noise};
use symdiff_train::{Precision, within};

/// Sizes of a transformer on atoms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DitSizes {
    /// Width of the embedding of positions and features; the rest of `hidden` holds the pair features.
    pub embedding: usize,
    /// Gaussians of the pair features.
    pub gaussians: usize,
    /// Width of the trunk.
    pub hidden: usize,
    /// Blocks.
    pub depth: usize,
    /// Attention heads.
    pub heads: usize,
    /// Width of the first feed-forward layers over `hidden`.
    #[serde(default = "four")]
    pub ratio: usize,
    /// What follows them: `swiglu`, or `mlp` for a plain perceptron.
    #[serde(default)]
    pub mlp_type: MlpType,
}

impl BackboneSpec for DitSizes {
    fn check(&self) -> Result<()> {
        let Self { embedding, gaussians, hidden, depth, heads, ratio, .. } = *self;
        for (name, value, high) in [("gaussians", gaussians, 1e5), ("hidden", hidden, 1e5), ("depth", depth, 1e4), ("ratio", ratio, 1e3)] {
            within(&format!("model.backbone.{name}"), value as f64, 1.0, high)?;
        }
        divided("model.backbone", heads, hidden)?;
        if embedding == 0 || embedding >= hidden || gaussians == 0 {
            return Err(Error::Config(format!(
                "model.backbone: embedding {embedding} must lie between 1 and hidden {hidden}, whose rest holds {gaussians} > 0 gaussians"
            )));
        }
        Ok(())
    }

    /// The rest of `hidden`.
    fn pairs(&self) -> Option<PairConfig> {
        Some(PairConfig { gaussians: self.gaussians, width: self.hidden - self.embedding })
    }

    fn precisions(&self, _: &Device) -> &'static [Precision] {
        &[Precision::F32, Precision::Bf16]
    }

    fn counts_padding(&self) -> bool {
        true
    }

    fn takes_fixed(&self) -> bool {
        true
    }

    fn activations(&self, atoms: f64, _: f64) -> f64 {
        20.0 * (self.hidden * self.depth) as f64 * atoms
    }

    fn build(&self, place: Place, vb: VarBuilder) -> Result<NoiseNet> {
        Ok(DitDenoiser::new(self, place, vb)?.boxed())
    }
}

/// ε(z, t): the trunk reads \[xh_embedder(x ⊕ h) | pair features\]; the positions of its output are centred. What is asked is embedded by two layers (`c_embedder`) and added to the
/// embedding of the time; fixed atoms by one (`fixed_embedder`, which starts at zero), added to that of each atom. Draws nothing.
#[derive(Clone, Debug)]
pub struct DitDenoiser {
    embedder: Linear,
    fixed: Option<Linear>,
    trunk: Dit,
    /// The number of properties, and their embedding.
    asked: Option<(usize, GeluMlp)>,
}

impl DitDenoiser {
    /// A denoiser of molecules with the features and conditions of its place; the trunk's parameters lie under `k` where it is symmetrised, else under `model`. Fresh
    /// parameters start as in [`Dit::new`].
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    pub fn new(sizes: &DitSizes, place: Place, vb: VarBuilder) -> Result<Self> {
        let Place { features, conditions, fixed, symmetrised, noise, .. } = place;
        let DitSizes { embedding, hidden, depth, heads, ratio, mlp_type, .. } = *sizes;
        let config = DitConfig { input: None, hidden, depth, heads, ratio, mlp_type, output: Some(3 + features) };
        let embedder = Linear::new(3 + features, embedding, Start::Xavier { gain: 1.0 }, vb.pp("xh_embedder"))?;
        let fixed = fixed.then(|| Linear::new(3 + features + 1, embedding, Start::Zero, vb.pp("fixed_embedder"))).transpose()?;
        let vb = vb.pp(if symmetrised { "k" } else { "model" });
        let asked = |conditions| -> Result<_> { Ok((conditions, GeluMlp::new([2 * conditions, hidden, hidden], vb.pp("c_embedder"))?)) };
        let asked = (conditions > 0).then_some(conditions).map(asked).transpose()?;
        Ok(Self { embedder, fixed, trunk: Dit::new(&config, noise, vb)?, asked })
    }

    fn forward(&self, x: &Observed) -> Result<Molecules> {
        let state = &x.at.state;
        let mut embedded = self.embedder.forward(&state.joined()?)?;
        if let Some(embedder) = &self.fixed {
            let fixed = match x.at.given.fixed()? {
                Some(fixed) => fixed.to_dtype(state.dtype())?,
                // Where nothing is fixed, all rows are zero.
                None => Tensor::zeros((1, embedder.inputs()), state.dtype(), &state.device())?,
            };
            embedded = embedded.broadcast_add(&embedder.forward(&fixed)?)?;
        }
        let times = x.at.time.tensor(embedded.dtype(), embedded.device())?;
        let asked = self.asked.as_ref().map(|(properties, embedder)| -> Result<Tensor> {
            Ok(embedder.forward(&x.at.given.rows(*properties, embedded.dtype(), embedded.device())?)?)
        });
        let inside = Tensor::cat(&[&embedded, x.features()?], 1)?;
        let rows = self.trunk.forward_beside(&inside, &times, asked.transpose()?.as_ref(), state.layout())?;
        Ok(Molecules::from_joined(&rows, state.layout().clone())?.centred()?)
    }
}

impl MarkovKernel<Observed> for DitDenoiser {
    type Out = Eps<Molecules>;

    fn sample(&self, x: &Observed, _: Noise) -> symdiff_core::Result<Eps<Molecules>> {
        self.forward(x).map(Eps).map_err(symdiff_core::Error::kernel)
    }
}
