//! EDM's equivariant graph network as a denoiser.

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
use symdiff_nets::{Egnn, EgnnConfig};
use symdiff_ops::{Noise, spread};
use symdiff_train::Precision;

/// Sizes of EDM's equivariant graph network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EgnnSizes(pub GraphSizes);

impl BackboneSpec for EgnnSizes {
    fn check(&self) -> Result<()> {
        self.0.check()
    }

    fn precisions(&self, device: &Device) -> &'static [Precision] {
        graph::precisions(device)
    }

    fn is_equivariant(&self) -> bool {
        true
    }

    /// Its means are taken over rows of padding too.
    fn counts_padding(&self) -> bool {
        self.0.mean
    }

    fn activations(&self, atoms: f64, pairs: f64) -> f64 {
        let GraphSizes { width, layers, sublayers, .. } = self.0;
        width as f64 * layers as f64 * (20.0 * atoms + (sublayers + 1) as f64 * pairs)
    }

    fn build(&self, place: Place, vb: VarBuilder) -> Result<NoiseNet> {
        Ok(EgnnDenoiser::new(&self.0, &place, vb)?.boxed())
    }
}

/// ε(z, t) of EDM: the centred displacements of the atoms by the network, and its output features. Time, and what is asked, are further features, whose outputs are
/// dropped. Equivariant as it is; draws nothing.
#[derive(Clone, Debug)]
pub struct EgnnDenoiser {
    net: Egnn,
    conditions: usize,
}

impl EgnnDenoiser {
    /// A denoiser of molecules with the features and conditions of its place, which also says over how many rows a mean over senders is taken.
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    pub fn new(sizes: &GraphSizes, place: &Place, vb: VarBuilder) -> Result<Self> {
        let GraphSizes { width, layers, sublayers, attention, tanh, constant, .. } = *sizes;
        let Place { features, conditions, padding, .. } = *place;
        let aggregation = sizes.aggregation(padding);
        let config =
            EgnnConfig { features: features + 1 + 2 * conditions, width, layers, sublayers, attention, tanh, constant, aggregation };
        Ok(Self { net: Egnn::new(&config, vb.pp("egnn"))?, conditions })
    }

    fn forward(&self, at: &At<Molecules, Asked>) -> Result<Molecules> {
        let (state, context) = (&at.state, context(at, self.conditions)?);
        let h = Tensor::cat(&[state.features(), &spread(&context, state.layout())?], 1)?;
        let [points, features] = self.net.forward(state.positions(), &h, state.layout())?;
        let features = features.narrow(1, 0, state.features().dims()[1])?;
        Ok(Molecules::new((points - state.positions())?, features, state.layout().clone())?.centred()?)
    }
}

impl MarkovKernel<Observed> for EgnnDenoiser {
    type Out = Eps<Molecules>;

    fn sample(&self, x: &Observed, _: Noise) -> symdiff_core::Result<Eps<Molecules>> {
        self.forward(&x.at).map(Eps).map_err(symdiff_core::Error::kernel)
    }
}
