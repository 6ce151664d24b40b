//! Samplers by name.

use super::{Ancestral, Ddim, DpmSolver, DpmSolver3, DpmSolverSde, Euler, Framing, Heun, StochasticEuler, Walk};
use crate::names::named;
use crate::{Result, Spacing};
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
        /// [`DpmSolver3`]: `dpm-solver-3`.
        DpmSolver3 = "dpm-solver-3",
        /// [`DpmSolverSde`]: `dpm-solver-sde`.
        DpmSolverSde = "dpm-solver-sde",
        /// [`Euler`]: `euler`.
        Euler = "euler",
        /// [`Heun`]: `heun`.
        Heun = "heun",
        /// [`StochasticEuler`], with its default churn unless a [`Route`] gives another: `stochastic-euler`.
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
            Self::DpmSolver3 => Box::new(DpmSolver3),
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Route {
    /// The rule of a step.
    pub method: Method,
    /// How many steps.
    pub steps: usize,
    /// The grid of their times.
    pub spacing: Spacing,
    /// Whether random frames are drawn at each call or kept for a trajectory.
    pub framing: Framing,
    /// The churn of [`StochasticEuler`]; no other method reads it.
    pub churn: f64,
}

impl Route {
    /// `steps` evenly spaced steps of a sampler, each with frames of its own.
    pub fn new(method: Method, steps: usize) -> Self {
        Self { method, steps, spacing: Spacing::default(), framing: Framing::default(), churn: StochasticEuler::CHURN }
    }

    /// The sampler.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for a churn that is negative or not finite.
    pub fn sampler<S: Euclidean>(&self) -> Result<Box<dyn Walk<S>>> {
        match self.method {
            Method::StochasticEuler => Ok(Box::new(StochasticEuler::new(self.churn)?)),
            method => Ok(method.sampler()),
        }
    }

    /// How often the denoiser is called along the trajectory; reading data off its end takes one call more.
    pub fn calls(&self) -> usize {
        self.steps * self.method.calls()
    }
}
