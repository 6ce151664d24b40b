//! How the models of a suite are sampled, for the row of the table and beside it: by which samplers, in how many calls of the network.

use crate::experiment::LossKind;
use crate::{Error, Experiment, Result};
use serde::Deserialize;
use symdiff_diffusion::{Framing, Method, Route, Spacing};

/// The `[sampling]` section: how the rows of the table are sampled.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowSampling {
    sampler: String,
    /// As in [`Samplings`].
    calls: usize,
    #[serde(default)]
    grid: Option<String>,
    #[serde(default)]
    frames: Option<String>,
    #[serde(default)]
    churn: Option<f64>,
}

impl RowSampling {
    /// The route of the run `name`.
    pub(super) fn route(&self, name: &str, experiment: &Experiment) -> Result<Route> {
        let Self { sampler, calls, grid, frames, churn } = self;
        let one = Samplings {
            samplers: vec![sampler.clone()],
            calls: vec![*calls],
            grid: grid.clone(),
            frames: frames.clone(),
            churn: *churn,
            runs: None,
        };
        Ok(one.routes(name, experiment)?[0])
    }
}

/// A `[[samplings]]` section: each sampler at each number of calls.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Samplings {
    samplers: Vec<String>,
    /// Calls of the network in the steps of a trajectory; reading the molecule off its end takes one more.
    calls: Vec<usize>,
    #[serde(default)]
    grid: Option<String>,
    #[serde(default)]
    frames: Option<String>,
    /// The churn of those samplers that have one.
    #[serde(default)]
    churn: Option<f64>,
    /// The runs that are sampled so; all when absent.
    #[serde(default)]
    runs: Option<Vec<String>>,
}

impl Samplings {
    /// A run that is named and is none of `runs`.
    pub(super) fn stranger<'a>(&'a self, runs: &[String]) -> Option<&'a String> {
        self.runs.iter().flatten().find(|name| !runs.contains(name))
    }

    /// The routes of the run `name`.
    pub(super) fn routes(&self, name: &str, experiment: &Experiment) -> Result<Vec<Route>> {
        if self.runs.as_ref().is_some_and(|runs| !runs.iter().any(|run| run == name)) {
            return Ok(Vec::new());
        }
        let grid = self.grid.as_deref().map_or_else(|| Ok(Spacing::default()), str::parse)?;
        let framing = self.frames.as_deref().map_or_else(|| Ok(Framing::default()), str::parse)?;
        let methods = self.samplers.iter().map(|name| name.parse::<Method>()).collect::<Result<Vec<_>, _>>()?;
        if self.churn.is_some() && methods.iter().all(|method| method.usual_churn().is_none()) {
            return Err(Error::Config("samplings have a churn, and none of their samplers has one".into()));
        }
        let process = &experiment.diffusion;
        let most = if process.loss == LossKind::Continuous { usize::MAX } else { process.steps };
        let mut routes = Vec::with_capacity(self.samplers.len() * self.calls.len());
        for method in methods {
            for &calls in &self.calls {
                let steps = calls / method.calls();
                if steps == 0 || steps > most {
                    let (least, most) = (method.calls(), most.saturating_mul(method.calls()));
                    return Err(Error::Config(format!("{calls} calls of {method} for {name}, which can take {least} to {most}")));
                }
                let churn = self.churn.filter(|_| method.usual_churn().is_some());
                let route = Route { spacing: grid, framing, churn, ..Route::new(method, steps) };
                // A churn that is none is refused before anything is trained.
                route.check()?;
                routes.push(route);
            }
        }
        Ok(routes)
    }
}
