//! Layer 4: a training loop that is independent of what is trained.
//!
//! A [`Task`] is a value of the user's: it makes the batch of a step and computes its losses. A [`Trainer`] takes a task and the variables that
//! it learns, and adds the rest: optimiser, moving average, learning rate, checkpoints, metrics, validation, a lock on the run folder. Nothing
//! here names a molecule, a group or a diffusion process.
//!
//! Step k is a function of the variables, the optimiser's state, the seed and k, so a killed run can be resumed bit for bit.

mod atomic;
pub mod checkpoint;
mod clock;
mod error;
mod lock;
pub mod metrics;
mod optimiser;
mod parameters;
mod ranks;
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
