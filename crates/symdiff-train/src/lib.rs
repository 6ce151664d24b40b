//! Floor 4: models assembled from the parts, and everything needed to train them.
//!
//! The floors below meet here: a [`Model`] is a backbone from `symdiff-nets` made a Markov kernel on molecules, symmetrised by `symdiff-core`, under a
//! process of `symdiff-diffusion`. [`Trainer`] trains one, [`Trained`] samples from it and judges it. Only this crate reads files of weights
//! and configuration.

mod atomic;
mod batches;
pub mod checkpoint;
mod error;
pub mod experiment;
mod import;
pub mod metrics;
mod model;
pub mod models;
mod optimiser;
mod parameters;
pub mod parity;
mod published;
mod reconstruction;
mod tensorboard;
mod trained;
mod trainer;

pub use error::{Error, Result};
pub use experiment::Experiment;
pub use import::{Imported, import};
pub use model::Model;
pub use models::ModelConfig;
pub use optimiser::{Clip, Optimiser};
pub use parameters::Parameters;
pub use reconstruction::{Decoded, MoleculeReconstruction};
pub use trained::{Nll, Sampling, Trained};
pub use trainer::{CHECKPOINT, Status, Summary, Trainer};
