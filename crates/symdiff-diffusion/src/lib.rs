#![doc = include_str!("../README.md")]
//!
//! # Layer 3
//!
//! The roles are kept apart: a [`Path`] gives the amounts of data and noise at time t, a [`Process`] diffuses a state along it, an [`Objective`] scores
//! a denoiser, a [`Sampler`] takes one step towards the data, a [`Grid`] gives the times of the steps, a [`Reconstruction`] turns the last state into data. A state is anything
//! [`Euclidean`](symdiff_ops::Euclidean), a denoiser any Markov kernel from a state at a time, given a condition, to its noise ([`At`] to [`Eps`]). A
//! network that predicts another quantity returns a [`Prediction`] of its own type, which an adaptor turns into noise.
//!
//! Levels are computed in f64, whatever the state's type: differences of neighbouring log-SNRs, on which weights and posteriors rest, lose all
//! their digits in f32.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod flow;
mod grid;
mod guided;
mod likelihood;
mod names;
mod objective;
mod path;
mod precondition;
mod prediction;
mod process;
mod reconstruction;
mod sampler;
mod schedule;
mod state;
mod target;
mod time;

pub use error::{Error, Result};
pub use flow::log_density;
pub use grid::{CosineGrid, Grid, Karras, Logistic, Spacing, Uniform, UniformLogSnr};
pub use guided::{Conditional, Guidance, Guided, Optional, Unconditional};
pub use likelihood::Likelihood;
pub use objective::{
    Aligned, Assignment, Continuous, Coupled, Coupling, Importance, Independent, Kabsch, L2, LogNormal, LogitNormal, Objective, TimeLaw,
    Turned, UniformTimes, Vlb, Weight, Weighting,
};
pub use path::{Coefficients, Levels, LinearPath, Path, VarianceExploding, VariancePreserving};
pub use precondition::{Preconditioned, Residual};
pub use prediction::{Predicting, Prediction};
pub use process::Process;
pub use reconstruction::{Gaussian, Reconstruction};
pub use sampler::{
    Ancestral, Begun, Ddim, DpmSolver, DpmSolver3, DpmSolverSde, Euler, Framing, Heun, Keeping, Known, Method, NoiseField, Past, Reverse,
    Route, Sampler, Span, StochasticDdim, StochasticEuler, Trail, Walk,
};
pub use schedule::{Cosine, LearnedSchedule, Polynomial, Schedule, Sigmoid, Tabulated};
pub use state::{At, Clean, Denoiser, Eps, Score, Velocity};
pub use target::{Reading, Target};
pub use time::Times;
