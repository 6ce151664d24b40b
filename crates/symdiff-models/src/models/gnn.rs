//! The graph network without geometry as a denoiser.

use super::backbone::{BackboneSpec, NoiseNet, Place};
use super::graph::{self, GraphSizes, context};
use super::observed::Observed;
use crate::{Asked, Result};
use candle_core::{Device, Tensor};
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};
use symdiff_core::{MarkovKernel, MarkovKernelExt};
use symdiff_diffusion::{At, Eps};
use symdiff_mol::state::Molecules;
use symdiff_nets::{Gnn, GnnConfig, PaddedTo, Padding};
use symdiff_ops::{Noise, spread};
use symdiff_train::Precision;

/// Sizes of the graph network without geometry.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GnnSizes(pub GraphSizes);

impl BackboneSpec for GnnSizes {
    fn check(&self) -> Result<()> {
        self.0.check()
    }

    fn precisions(&self, device: &Device) -> &'static [Precision] {
        graph::precisions(device)
    }

    fn counts_padding(&self) -> bool {
        true
    }

    fn activations(&self, atoms: f64, pairs: f64) -> f64 {
        let GraphSizes { width, layers, .. } = self.0;
        width as f64 * layers as f64 * (20.0 * atoms + pairs)
    }

    fn build(&self, place: Place, vb: VarBuilder) -> Result<NoiseNet> {
        Ok(GnnDenoiser::new(&self.0, &place, vb)?.boxed())
    }
}

/// ε(z, t) of the graph network that takes positions for features like any other. Centres the molecules; draws nothing.
#[derive(Clone, Debug)]
pub struct GnnDenoiser {
    net: Gnn,
    conditions: usize,
    padded: Option<PaddedTo>,
}

impl GnnDenoiser {
    /// A denoiser of molecules with the features and conditions of its place, which also says to which length the published code would pad: its padding sends messages
    /// too.
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    pub fn new(sizes: &GraphSizes, place: &Place, vb: VarBuilder) -> Result<Self> {
        let GraphSizes { width, layers, attention, .. } = *sizes;
        let Place { features, conditions, padding: padded, .. } = *place;
        let features = features + 4 + 2 * conditions;
        let config = GnnConfig { features, width, layers, attention, aggregation: sizes.aggregation(padded) };
        Ok(Self { net: Gnn::new(&config, vb.pp("gnn"))?, conditions, padded })
    }

    fn forward(&self, at: &At<Molecules, Asked>) -> Result<Molecules> {
        let (state, context) = (at.state.centred()?, context(at, self.conditions)?);
        let rows = state.joined()?;
        let (layout, width) = (state.layout(), rows.dims()[1]);
        let padding = self.padded.map(|padded| -> Result<Padding> {
            let zeros = Tensor::zeros((layout.len(), width), rows.dtype(), rows.device())?;
            let context = context.broadcast_as((layout.len(), context.dims()[1]))?;
            Ok(Padding { length: padded.rows(layout), features: Tensor::cat(&[&zeros, &context], 1)? })
        });
        let h = Tensor::cat(&[&rows, &spread(&context, layout)?], 1)?;
        let out = self.net.forward(&h, padding.transpose()?.as_ref(), layout)?;
        Ok(Molecules::from_joined(&out.narrow(1, 0, width)?, layout.clone())?.centred()?)
    }
}

impl MarkovKernel<Observed> for GnnDenoiser {
    type Out = Eps<Molecules>;

    fn sample(&self, x: &Observed, _: Noise) -> symdiff_core::Result<Eps<Molecules>> {
        self.forward(&x.at).map(Eps).map_err(symdiff_core::Error::kernel)
    }
}
