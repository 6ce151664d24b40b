//! How to sample.

use crate::request::Request;
use symdiff_diffusion::{Framing, Method, Route, Spacing};

/// How to sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// The number of molecules.
    pub count: usize,
    /// The seed: molecule i of a seed is the same in every batch.
    pub seed: u64,
    /// Denoising steps; T when absent.
    pub steps: Option<usize>,
    /// Molecules per batch; batches of about 4,000 atoms when absent.
    pub batch: Option<usize>,
    /// The sampler.
    pub sampler: Method,
    /// The grid of times of its steps.
    pub grid: Spacing,
    /// Whether random frames are drawn at each call or kept for a trajectory.
    pub frames: Framing,
    /// The churn of a sampler that has one; its default when absent.
    pub churn: Option<f64>,
    /// What is asked of the molecules.
    pub request: Request,
}

impl Sampling {
    /// `count` molecules of a seed, in all steps of the process by ancestral sampling.
    pub fn of(count: usize, seed: u64) -> Self {
        let (sampler, grid, frames) = (Method::default(), Spacing::default(), Framing::default());
        Self { count, seed, steps: None, batch: None, sampler, grid, frames, churn: None, request: Request::default() }
    }

    /// `count` molecules of a seed along a route.
    pub fn along(route: Route, count: usize, seed: u64) -> Self {
        let Route { method, steps, spacing, framing, churn } = route;
        Self { steps: Some(steps), sampler: method, grid: spacing, frames: framing, churn, ..Self::of(count, seed) }
    }
}
