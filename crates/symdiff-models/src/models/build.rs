//! From a configuration to a kernel.

use super::config::{Backbone, DitSizes, Gamma, GammaSizes, ModelConfig};
use super::{DitDenoiser, EgnnDenoiser, FrameNet, GnnDenoiser, Observed, Released, WithPairs};
use crate::Result;
use candle_nn::VarBuilder;
use symdiff_core::{Haar, MarkovKernel, MarkovKernelExt, On, OnGroup};
use symdiff_diffusion::{At, Denoiser};
use symdiff_groups::{GramSchmidt, Matrices, Orthogonal};
use symdiff_mol::state::Molecules;
use symdiff_nets::{PairConfig, PairFeatures};
use symdiff_ops::Noise;

/// A denoiser of molecules, whatever it is made of.
pub type MoleculeDenoiser = Box<dyn Denoiser<Molecules> + Send + Sync>;

/// A kernel from which all models can draw elements of O(3): [`Haar`], or what a test of equivariance puts in its place.
pub trait Measure:
    OnGroup<Group = Orthogonal>
    + MarkovKernel<At<Molecules>, Out = Matrices>
    + MarkovKernel<Observed, Out = Matrices>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<M> Measure for M where
    M: OnGroup<Group = Orthogonal>
        + MarkovKernel<At<Molecules>, Out = Matrices>
        + MarkovKernel<Observed, Out = Matrices>
        + Clone
        + Send
        + Sync
        + 'static
{
}

impl ModelConfig {
    /// Builds the denoiser of molecules with `features` features from the parameters under `vb`.
    ///
    /// `noise` is for fresh parameters, see [`Dit::new`](symdiff_nets::Dit::new).
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    pub fn build(&self, features: usize, noise: Noise, vb: VarBuilder) -> Result<MoleculeDenoiser> {
        self.build_over(Haar(Orthogonal::new(3)), features, noise, vb)
    }

    /// The same with the group elements of its symmetrisation drawn from `measure`, which models without one do not ask.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_over(&self, measure: impl Measure, features: usize, noise: Noise, vb: VarBuilder) -> Result<MoleculeDenoiser> {
        self.check()?;
        match &self.backbone {
            Backbone::Dit(sizes) => self.transformer(sizes, measure, features, noise, vb),
            Backbone::Egnn(sizes) => Ok(self.symmetrised(EgnnDenoiser::new(sizes, features, self.padding_compat, vb)?, measure)),
            Backbone::Gnn(sizes) => Ok(self.symmetrised(GnnDenoiser::new(sizes, features, self.padding_compat, vb)?, measure)),
        }
    }

    /// A denoiser without pair features under Haar draws, or as it is.
    fn symmetrised(&self, denoiser: impl Denoiser<Molecules> + Send + Sync + 'static, measure: impl Measure) -> MoleculeDenoiser {
        match self.gamma {
            Gamma::Haar => Box::new(denoiser.symmetrised(measure)),
            _ => Box::new(denoiser),
        }
    }

    fn transformer(
        &self,
        sizes: &DitSizes,
        measure: impl Measure,
        features: usize,
        noise: Noise,
        vb: VarBuilder,
    ) -> Result<MoleculeDenoiser> {
        let [trunk, frame] = noise.split();
        let pairs = self.pairs(sizes, vb.clone())?;
        let name = if self.gamma == Gamma::None { "model" } else { "k" };
        let denoiser = DitDenoiser::new(sizes, features, name, trunk, vb.clone())?;
        Ok(match &self.gamma {
            Gamma::None => Box::new(WithPairs { pairs, kernel: denoiser }),
            Gamma::Haar => Box::new(WithPairs { pairs, kernel: denoiser.symmetrised(measure) }),
            Gamma::Learned(gamma) => {
                let net = FrameNet::new(gamma, sizes.hidden - sizes.embedding, frame, vb)?;
                Box::new(WithPairs { pairs, kernel: denoiser.symmetrised(learned(gamma, net, measure)) })
            }
        })
    }

    fn pairs(&self, sizes: &DitSizes, vb: VarBuilder) -> Result<PairFeatures> {
        let config = PairConfig { gaussians: sizes.gaussians, width: sizes.hidden - sizes.embedding };
        let pairs = PairFeatures::new(config, vb)?;
        Ok(match self.padding_compat {
            Some(pad) => pairs.padded_to(pad),
            None => pairs,
        })
    }
}

/// γ = `sym_Haar(f)` with its Haar draws from `measure`, or the published product of the same draws.
pub(crate) fn learned(
    sizes: &GammaSizes,
    net: FrameNet,
    measure: impl Measure,
) -> On<Orthogonal, Box<dyn MarkovKernel<Observed, Out = Matrices> + Send + Sync>> {
    let o3 = Orthogonal::new(3);
    let chart = if sizes.rows { GramSchmidt::rows() } else { GramSchmidt::columns() };
    let f = net.charted(o3, chart);
    let gamma = if sizes.released { Released::new(measure, f).boxed() } else { f.symmetrised(measure).boxed() };
    On::new(o3, gamma)
}
