//! The non-equivariant denoiser: a transformer on embedded atoms.

use super::config::DitSizes;
use super::observed::Observed;
use crate::Result;
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_core::MarkovKernel;
use symdiff_diffusion::Eps;
use symdiff_mol::state::Molecules;
use symdiff_nets::{Dit, DitConfig, Linear, Start};
use symdiff_ops::Noise;

/// ε(z, t): the trunk reads \[xh_embedder(x ⊕ h) | pair features\]; the positions of its output are centred. Draws nothing.
#[derive(Clone, Debug)]
pub struct DitDenoiser {
    embedder: Linear,
    trunk: Dit,
}

impl DitDenoiser {
    /// A denoiser of molecules with `features` features; the trunk's parameters lie under `trunk` (`model` in a DiT, `k` in SymDiff). Fresh
    /// parameters start as in [`Dit::new`].
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    pub fn new(sizes: &DitSizes, features: usize, trunk: &str, noise: Noise, vb: VarBuilder) -> Result<Self> {
        let DitSizes { embedding, hidden, depth, heads, ratio, .. } = *sizes;
        let config = DitConfig { input: None, hidden, depth, heads, ratio, output: Some(3 + features) };
        let embedder = Linear::new(3 + features, embedding, Start::Xavier { gain: 1.0 }, vb.pp("xh_embedder"))?;
        Ok(Self { embedder, trunk: Dit::new(&config, noise, vb.pp(trunk))? })
    }

    fn forward(&self, x: &Observed) -> Result<Molecules> {
        let state = &x.at.state;
        let embedded = self.embedder.forward(&state.joined()?)?;
        let times = x.at.time.tensor(embedded.dtype(), embedded.device())?;
        let rows = self.trunk.forward(&Tensor::cat(&[&embedded, &x.pairs], 1)?, &times, state.layout())?;
        Ok(Molecules::from_joined(&rows, state.layout().clone())?.centred()?)
    }
}

impl MarkovKernel<Observed> for DitDenoiser {
    type Out = Eps<Molecules>;

    fn sample(&self, x: &Observed, _: Noise) -> symdiff_core::Result<Eps<Molecules>> {
        self.forward(x).map(Eps).map_err(symdiff_core::Error::kernel)
    }
}
