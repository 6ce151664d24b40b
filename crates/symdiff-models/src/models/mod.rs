//! Models assembled from the parts: embedding, trunk, γ.

mod build;
mod config;
mod dit;
mod frame;
mod graph;
mod observed;
mod presets;
mod released;

pub(crate) use build::learned;
pub use build::{Measure, MoleculeDenoiser};
pub use config::{Backbone, DitSizes, Gamma, GammaSizes, GraphSizes, ModelConfig};
pub use dit::DitDenoiser;
pub use frame::FrameNet;
pub use graph::{EgnnDenoiser, GnnDenoiser};
pub use observed::{Observed, WithPairs};
pub use presets::{MATCHED, presets};
pub use released::Released;
