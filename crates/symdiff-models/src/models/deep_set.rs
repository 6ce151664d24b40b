//! A network without attention or messages: each atom beside the mean of its molecule.

use super::backbone::{BackboneSpec, NoiseNet, Place};
use super::graph::context;
use super::observed::Observed;
use crate::Result;
use candle_core::Tensor;
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};
use symdiff_core::{MarkovKernel, MarkovKernelExt};
use symdiff_diffusion::Eps;
use symdiff_mol::state::Molecules;
use symdiff_nets::{Linear, Start};
use symdiff_ops::{Noise, segment_mean, silu, spread};
use symdiff_train::within;

/// Sizes of a Deep Set (Zaheer et al., arXiv 1703.06114): the simplest network whose output at an atom depends on the whole molecule, as a baseline for attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeepSetSizes {
    /// Width of the network.
    pub width: usize,
    /// Layers, each of which sees the mean of the one before.
    pub layers: usize,
}

impl BackboneSpec for DeepSetSizes {
    fn check(&self) -> Result<()> {
        within("model.backbone.width", self.width as f64, 1.0, 1e5)?;
        Ok(within("model.backbone.layers", self.layers as f64, 1.0, 1e4)?)
    }

    fn activations(&self, atoms: f64, _: f64) -> f64 {
        6.0 * (self.width * self.layers) as f64 * atoms
    }

    fn build(&self, place: Place, vb: VarBuilder) -> Result<NoiseNet> {
        Ok(DeepSetDenoiser::new(self, place.features, place.conditions, vb.pp("deep_set"))?.boxed())
    }
}

/// ε(z, t): h ← h + W·silu(V·\[h | mean of h\]), read out by one layer that starts at zero; positions of the result are centred. Draws nothing.
#[derive(Clone, Debug)]
pub struct DeepSetDenoiser {
    embedding: Linear,
    layers: Vec<[Linear; 2]>,
    out: Linear,
    conditions: usize,
}

impl DeepSetDenoiser {
    /// A denoiser of molecules with `features` features, of which so many properties may be asked.
    ///
    /// # Errors
    /// When a parameter is missing or has another shape.
    pub fn new(sizes: &DeepSetSizes, features: usize, conditions: usize, vb: VarBuilder) -> Result<Self> {
        let (width, start) = (sizes.width, Start::Xavier { gain: 1.0 });
        let layer = |i: usize| -> Result<[Linear; 2]> {
            let vb = vb.pp("layers").pp(i);
            Ok([Linear::new(2 * width, width, start, vb.pp("in"))?, Linear::new(width, width, start, vb.pp("out"))?])
        };
        Ok(Self {
            embedding: Linear::new(3 + features + 1 + 2 * conditions, width, start, vb.pp("embedding"))?,
            layers: (0..sizes.layers).map(layer).collect::<Result<_>>()?,
            out: Linear::new(width, 3 + features, Start::Zero, vb.pp("read_out"))?,
            conditions,
        })
    }

    fn forward(&self, x: &Observed) -> Result<Molecules> {
        let layout = x.at.state.layout();
        let rows = x.at.state.centred()?.joined()?;
        let mut h = self.embedding.forward(&Tensor::cat(&[&rows, &spread(&context(&x.at, self.conditions)?, layout)?], 1)?)?;
        for [inner, outer] in &self.layers {
            let mean = spread(&segment_mean(&h, layout)?, layout)?;
            let change = outer.forward(&silu(&inner.forward(&Tensor::cat(&[&h, &mean], 1)?)?)?)?;
            h = (h + change)?;
        }
        Ok(Molecules::from_joined(&self.out.forward(&h)?, layout.clone())?.centred()?)
    }
}

impl MarkovKernel<Observed> for DeepSetDenoiser {
    type Out = Eps<Molecules>;

    fn sample(&self, x: &Observed, _: Noise) -> symdiff_core::Result<Eps<Molecules>> {
        self.forward(x).map(Eps).map_err(symdiff_core::Error::kernel)
    }
}
