//! Samplers by name.

use super::{Ancestral, Ddim, DpmSolver, DpmSolverSde, Euler, Framing, Heun, StochasticEuler, Walk};
use crate::Spacing;
use crate::names::named;
use symdiff_ops::Euclidean;

named! {
    /// Which sampler: what configurations and command lines choose from.
    Method, "sampler", {
        /// [`Ancestral`]: `ancestral`.
        #[default]
        Ancestral = "ancestral",
        /// [`Ddim`]: `ddim`.
        Ddim = "ddim",
        /// [`DpmSolver`]: `dpm-solver`.
        DpmSolver = "dpm-solver",
        /// [`DpmSolverSde`]: `dpm-solver-sde`.
        DpmSolverSde = "dpm-solver-sde",
        /// [`Euler`]: `euler`.
        Euler = "euler",
        /// [`Heun`]: `heun`.
        Heun = "heun",
        /// [`StochasticEuler`] with its default churn: `stochastic-euler`.
        StochasticEuler = "stochastic-euler",
    }
}

impl Method {
    /// The sampler of this name.
    pub fn sampler<S: Euclidean>(self) -> Box<dyn Walk<S>> {
        match self {
            Self::Ancestral => Box::new(Ancestral),
            Self::Ddim => Box::new(Ddim),
            Self::DpmSolver => Box::new(DpmSolver),
            Self::DpmSolverSde => Box::new(DpmSolverSde),
            Self::Euler => Box::new(Euler),
            Self::Heun => Box::new(Heun),
            Self::StochasticEuler => Box::new(StochasticEuler::default()),
        }
    }

    /// How often it calls the denoiser in a step.
    pub fn calls(self) -> usize {
        if self == Self::Heun { 2 } else { 1 }
    }
}

/// How to sample, by names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// The rule of a step.
    pub method: Method,
    /// How many steps.
    pub steps: usize,
    /// The grid of their times.
    pub spacing: Spacing,
    /// Whether random frames are drawn at each call or kept for a trajectory.
    pub framing: Framing,
}

impl Route {
    /// `steps` evenly spaced steps of a sampler, each with frames of its own.
    pub fn new(method: Method, steps: usize) -> Self {
        Self { method, steps, spacing: Spacing::default(), framing: Framing::default() }
    }
}
