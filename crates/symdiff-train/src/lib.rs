#![doc = include_str!("../README.md")]
//!
//! # Layer 4
//!
//! A [`Task`] is a value of the user's: it makes the batch of a step and computes its losses. A [`Trainer`] takes a task and the variables that
//! it learns, and adds the rest, with a lock on the run folder. Nothing here depends on molecules, groups or diffusion processes.
//!
//! Step k is a function of the variables, the optimiser's state, the seed and k, so a killed run can be resumed bit for bit.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod checkpoint;
mod clock;
mod error;
mod lock;
pub mod metrics;
mod optimiser;
mod parameters;
pub mod ranks;
mod settings;
mod task;
mod tensorboard;
mod trainer;
mod variables;

pub use error::{Error, Result};
pub use lock::FolderLock;
pub use optimiser::{Clip, Optimiser, OptimiserSettings};
pub use parameters::Parameters;
pub use ranks::{Alone, Ranks, Share};
pub use settings::{Clipping, Precision, Settings, within};
pub use task::{Record, Scores, Streams, Task};
pub use trainer::{BEST, CHECKPOINT, Status, Summary, Trainer};
pub use variables::Variables;
