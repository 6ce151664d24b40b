//! The network inside γ: from noisy molecules to one 3 × 3 matrix per molecule.

use super::gamma::GammaSizes;
use super::observed::Observed;
use crate::Result;
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_core::MarkovKernel;
use symdiff_nets::{Dit, DitConfig, GeluMlp};
use symdiff_ops::{Noise, segment_mean};

/// f(x, η): a transformer on \[x | η | pair features\], η normal, averaged over atoms and decoded to nine numbers.
#[derive(Clone, Debug)]
pub struct FrameNet {
    encoder: Dit,
    decoder: GeluMlp,
    noise: usize,
    noise_scale: f64,
}

impl FrameNet {
    /// A network over pair features of the given width; parameters `gamma_enc.*` and `gamma_dec.*`. Fresh ones start as in [`Dit::new`].
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    pub fn new(sizes: &GammaSizes, pairs: usize, start: Noise, vb: VarBuilder) -> Result<Self> {
        let GammaSizes { hidden, depth, heads, ratio, mlp_type, decoder, noise, noise_scale, .. } = *sizes;
        let config = DitConfig { input: Some(3 + noise + pairs), hidden, depth, heads, ratio, mlp_type, output: None };
        Ok(Self {
            encoder: Dit::new(&config, start, vb.pp("gamma_enc"))?,
            decoder: GeluMlp::new([hidden, decoder, 9], vb.pp("gamma_dec"))?,
            noise,
            noise_scale,
        })
    }

    fn forward(&self, x: &Observed, noise: Noise) -> Result<Tensor> {
        let state = &x.at.state;
        let (positions, layout) = (state.positions(), state.layout());
        let drawn = (noise.normal_nodes(layout, self.noise, positions.dtype(), positions.device())? * self.noise_scale)?;
        let times = x.at.time.tensor(positions.dtype(), positions.device())?;
        let features = self.encoder.features(&Tensor::cat(&[positions, &drawn, x.features()?], 1)?, &times, layout)?;
        let decoded = self.decoder.forward(&segment_mean(&features, layout)?)?;
        Ok(decoded.reshape((layout.len(), 3, 3))?)
    }
}

impl MarkovKernel<Observed> for FrameNet {
    type Out = Tensor;

    fn sample(&self, x: &Observed, noise: Noise) -> symdiff_core::Result<Tensor> {
        self.forward(x, noise).map_err(symdiff_core::Error::kernel)
    }
}
