//! Models assembled from the parts: backbone, γ, group.

mod backbone;
mod build;
mod config;
mod deep_set;
mod defaults;
mod dit;
mod egnn;
mod frame;
mod gamma;
mod gnn;
mod graph;
mod inputs;
mod observed;
mod presets;
mod released;

pub use backbone::{Backbone, BackboneSpec, NoiseNet, Place};
pub(crate) use build::learned;
pub use build::{Measure, MoleculeDenoiser, SpaceGroup};
pub use config::ModelConfig;
pub use deep_set::{DeepSetDenoiser, DeepSetSizes};
pub use dit::{DitDenoiser, DitSizes};
pub use egnn::{EgnnDenoiser, EgnnSizes};
pub use frame::FrameNet;
pub use gamma::{Gamma, GammaSizes, GroupChoice, PairSizes};
pub use gnn::{GnnDenoiser, GnnSizes};
pub use graph::GraphSizes;
pub use inputs::Inputs;
pub use observed::{Observed, Observing};
pub use presets::presets;
pub use released::Released;
pub use symdiff_nets::{MlpType, PaddedTo};
