#![doc = include_str!("../README.md")]
//!
//! # Layer 5
//!
//! This crate combines those below: a [`Model`] is a backbone from `symdiff-nets` as a Markov kernel on molecules, symmetrised by `symdiff-core`, under a
//! process of `symdiff-diffusion`. [`MoleculeTask`] is what `symdiff-train` trains, [`Trained`] samples from the result and computes likelihoods. An
//! [`Experiment`] describes all of it in one file.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod batches;
mod diffusion;
mod error;
pub mod experiment;
mod import;
pub mod memory;
mod model;
pub mod models;
pub mod parity;
mod published;
mod reconstruction;
pub mod suite;
mod task;
mod trained;

pub use error::{Error, Result};
pub use experiment::Experiment;
pub use import::{Import, ImportError, Imported};
pub use model::Model;
pub use models::ModelConfig;
pub use reconstruction::{Decoded, MoleculeReconstruction};
pub use task::{MoleculeTask, MoleculeTrainer, check_elements, resume, start};
pub use trained::{Nll, Sampling, Trained};
