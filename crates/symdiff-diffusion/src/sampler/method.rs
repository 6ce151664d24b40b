//! Samplers by name.

use super::churned;
use super::{Ancestral, Ddim, DpmSolver, DpmSolver3, DpmSolverSde, Euler, Framing, Heun, StochasticDdim, StochasticEuler, Walk};
use crate::names::named;
use crate::{Error, Result, Spacing};
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
        /// [`StochasticDdim`], with its default churn unless a [`Route`] gives another: `stochastic-ddim`.
        StochasticDdim = "stochastic-ddim",
        /// [`StochasticEuler`], likewise: `stochastic-euler`.
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
            Self::StochasticDdim => Box::new(StochasticDdim::default()),
            Self::StochasticEuler => Box::new(StochasticEuler::default()),
        }
    }

    /// Its default churn; `None` for a sampler without one.
    pub fn usual_churn(self) -> Option<f64> {
        match self {
            Self::StochasticDdim => Some(StochasticDdim::CHURN),
            Self::StochasticEuler => Some(StochasticEuler::CHURN),
            _ => None,
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
    /// The churn of a sampler that has one; its default when absent.
    pub churn: Option<f64>,
}

impl Route {
    /// `steps` evenly spaced steps of a sampler, each with frames of its own.
    pub fn new(method: Method, steps: usize) -> Self {
        Self { method, steps, spacing: Spacing::default(), framing: Framing::default(), churn: None }
    }

    /// Whether the churn is one that the sampler can have.
    ///
    /// # Errors
    /// [`Error::Config`] for a churn that is negative or not finite, or given to a sampler without one.
    pub fn check(&self) -> Result<()> {
        match (self.method.usual_churn(), self.churn) {
            (_, None) => Ok(()),
            (Some(_), Some(churn)) => churned::check(churn),
            (None, Some(_)) => {
                let churned = Method::ALL.iter().filter(|method| method.usual_churn().is_some());
                let churned: Vec<String> = churned.map(Method::to_string).collect();
                Err(Error::Config(format!("{} has no churn; {} have", self.method, churned.join(" and "))))
            }
        }
    }

    /// The sampler.
    ///
    /// # Errors
    /// Those of [`Route::check`].
    pub fn sampler<S: Euclidean>(&self) -> Result<Box<dyn Walk<S>>> {
        self.check()?;
        Ok(match (self.method, self.churn) {
            (Method::StochasticDdim, Some(churn)) => Box::new(StochasticDdim::new(churn)?),
            (Method::StochasticEuler, Some(churn)) => Box::new(StochasticEuler::new(churn)?),
            (method, _) => method.sampler(),
        })
    }

    /// The churn that is taken; `None` for a sampler without one.
    pub fn churn(&self) -> Option<f64> {
        self.method.usual_churn().map(|usual| self.churn.unwrap_or(usual))
    }

    /// How often the denoiser is called along the trajectory; reading data off its end takes one call more.
    pub fn calls(&self) -> usize {
        self.steps * self.method.calls()
    }
}
