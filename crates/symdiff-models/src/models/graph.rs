//! The graph networks as denoisers: EDM's equivariant one, and its variant without geometry.

use super::config::GraphSizes;
use crate::Result;
use candle_core::Tensor;
use candle_nn::VarBuilder;
use symdiff_core::MarkovKernel;
use symdiff_diffusion::{At, Eps};
use symdiff_mol::state::Molecules;
use symdiff_nets::{Egnn, EgnnConfig, Gnn, GnnConfig, Padding};
use symdiff_ops::{Noise, spread};

/// ε(z, t) of EDM: how far the network moves the atoms, centred, and the features it makes. Time is one more feature, whose output is
/// dropped. Equivariant as it is; draws nothing.
#[derive(Clone, Debug)]
pub struct EgnnDenoiser {
    net: Egnn,
}

impl EgnnDenoiser {
    /// A denoiser of molecules with `features` features; `padded` is the length that a mean over senders is taken over.
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    pub fn new(sizes: &GraphSizes, features: usize, padded: Option<usize>, vb: VarBuilder) -> Result<Self> {
        let GraphSizes { width, layers, sublayers, attention, tanh, constant, .. } = *sizes;
        let aggregation = sizes.aggregation(padded);
        let config = EgnnConfig { features: features + 1, width, layers, sublayers, attention, tanh, constant, aggregation };
        Ok(Self { net: Egnn::new(&config, vb.pp("egnn"))? })
    }

    fn forward(&self, at: &At<Molecules>) -> Result<Molecules> {
        let (state, time) = (&at.state, times(at)?);
        let h = Tensor::cat(&[state.features(), &spread(&time, state.layout())?], 1)?;
        let [points, features] = self.net.forward(state.positions(), &h, state.layout())?;
        let features = features.narrow(1, 0, state.features().dims()[1])?;
        Ok(Molecules::new((points - state.positions())?, features, state.layout().clone())?.centred()?)
    }
}

/// ε(z, t) of the graph network that takes positions for features like any other. Centres the molecules; draws nothing.
#[derive(Clone, Debug)]
pub struct GnnDenoiser {
    net: Gnn,
    padded: Option<usize>,
}

impl GnnDenoiser {
    /// A denoiser of molecules with `features` features; `padded` is the length to which the published code would pad, whose padding sends
    /// messages too.
    ///
    /// # Errors
    /// When sizes do not fit, or a parameter is missing or has another shape.
    pub fn new(sizes: &GraphSizes, features: usize, padded: Option<usize>, vb: VarBuilder) -> Result<Self> {
        let GraphSizes { width, layers, attention, .. } = *sizes;
        let config = GnnConfig { features: features + 4, width, layers, attention, aggregation: sizes.aggregation(padded) };
        Ok(Self { net: Gnn::new(&config, vb.pp("gnn"))?, padded })
    }

    fn forward(&self, at: &At<Molecules>) -> Result<Molecules> {
        let (state, time) = (at.state.centred()?, times(at)?);
        let rows = state.joined()?;
        let (layout, width) = (state.layout(), rows.dims()[1]);
        let padding = self.padded.map(|length| -> Result<Padding> {
            let zeros = Tensor::zeros((layout.len(), width), rows.dtype(), rows.device())?;
            let time = time.broadcast_as((layout.len(), 1))?;
            Ok(Padding { length, features: Tensor::cat(&[&zeros, &time], 1)? })
        });
        let h = Tensor::cat(&[&rows, &spread(&time, layout)?], 1)?;
        let out = self.net.forward(&h, padding.transpose()?.as_ref(), layout)?;
        Ok(Molecules::from_joined(&out.narrow(1, 0, width)?, layout.clone())?.centred()?)
    }
}

/// The times, `[B, 1]` or `[1, 1]`.
fn times(at: &At<Molecules>) -> Result<Tensor> {
    let positions = at.state.positions();
    Ok(at.time.tensor(positions.dtype(), positions.device())?.unsqueeze(1)?)
}

impl MarkovKernel<At<Molecules>> for EgnnDenoiser {
    type Out = Eps<Molecules>;

    fn sample(&self, x: &At<Molecules>, _: Noise) -> symdiff_core::Result<Eps<Molecules>> {
        self.forward(x).map(Eps).map_err(symdiff_core::Error::kernel)
    }
}

impl MarkovKernel<At<Molecules>> for GnnDenoiser {
    type Out = Eps<Molecules>;

    fn sample(&self, x: &At<Molecules>, _: Noise) -> symdiff_core::Result<Eps<Molecules>> {
        self.forward(x).map(Eps).map_err(symdiff_core::Error::kernel)
    }
}
