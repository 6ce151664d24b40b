#![doc = include_str!("../README.md")]
//!
//! # Layer 5
//!
//! This crate combines those below: a [`Model`] is a backbone from `symdiff-nets` as a Markov kernel on molecules, symmetrised by `symdiff-core`, under a
//! process of `symdiff-diffusion`. [`MoleculeTask`] is what `symdiff-train` trains, [`Trained`] samples from the result and computes likelihoods. An
//! [`Experiment`] describes all of it in one file.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod asked;
mod batches;
mod chain;
mod conditions;
mod diffusion;
mod drawing;
mod error;
pub mod experiment;
mod fixed;
mod import;
mod kept;
pub mod memory;
mod model;
pub mod models;
pub mod parity;
mod plan;
pub mod property;
mod published;
mod reconstruction;
mod request;
mod run;
mod sampling;
mod settled;
pub mod suite;
mod task;
mod trained;
pub mod weights;

pub use asked::Asked;
pub use batches::Examples;
pub use conditions::Conditions;
pub use error::{Error, Result};
pub use experiment::Experiment;
pub use import::{Import, ImportError, Imported};
pub use kept::Kept;
pub use model::Model;
pub use models::ModelConfig;
pub use plan::GIVEN;
pub use reconstruction::{Decoded, MoleculeReconstruction};
pub use request::{Atoms, Given, Part, Request, Wanted};
pub use sampling::Sampling;
pub use task::{MoleculeTask, MoleculeTrainer, check_elements, resume, resume_with, start, start_with};
pub use trained::{Nll, Trained};
