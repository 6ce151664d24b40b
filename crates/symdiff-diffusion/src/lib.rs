//! Floor 3: diffusion processes. Schedules, objectives, likelihoods and samplers, generic over the state and the denoiser.
//!
//! The roles are kept apart behind narrow doors: a [`Schedule`] says how noisy time t is, a [`Process`] diffuses a state, an [`Objective`] scores a
//! denoiser, a [`Reconstruction`] reads data off the last state, a [`Sampler`] takes one step back. A state is anything
//! [`Euclidean`](symdiff_ops::Euclidean), a denoiser any Markov kernel from a state at a time to its noise.
//!
//! Levels are computed in f64, whatever the state's type: differences of neighbouring log-SNRs, on which weights and posteriors rest, lose all
//! their digits in f32.

mod error;
mod likelihood;
mod objective;
mod prediction;
mod process;
mod reconstruction;
mod sampler;
mod schedule;
mod state;
mod time;

pub use error::{Error, Result};
pub use likelihood::Likelihood;
pub use objective::{Objective, Weighting};
pub use prediction::{Predicting, Prediction};
pub use process::{Levels, Process};
pub use reconstruction::Reconstruction;
pub use sampler::{Ancestral, Ddim, DpmSolver, Method, Past, Reverse, Sampler, Span};
pub use schedule::{Cosine, LearnedSchedule, Polynomial, Schedule, Tabulated};
pub use state::{At, Clean, Denoiser, Eps, Velocity};
pub use time::Times;
