//! Grids: the times between which a sampler takes its steps.

mod cosine;
mod karras;
mod log_snr;
mod logistic;
mod uniform;

pub use cosine::CosineGrid;
pub use karras::Karras;
pub use log_snr::UniformLogSnr;
pub use logistic::Logistic;
pub use uniform::Uniform;

use crate::names::named;
use crate::{Path, Result};

/// A rule for the times of a sampler's steps. Implement this one method for a rule of your own.
pub trait Grid {
    /// `steps` + 1 times, falling from 1 to 0.
    ///
    /// # Errors
    /// When the path does not suit the rule.
    fn times(&self, path: &dyn Path, steps: usize) -> Result<Vec<f64>>;
}

named! {
    /// Which grid: what configurations and command lines choose from.
    Spacing, "grid", {
        /// [`Uniform`]: `uniform`.
        #[default]
        Uniform = "uniform",
        /// [`UniformLogSnr`]: `log-snr`.
        LogSnr = "log-snr",
        /// [`Karras`] with its default power: `karras`.
        Karras = "karras",
        /// [`CosineGrid`]: `cosine`.
        Cosine = "cosine",
        /// [`Logistic`] around its default location: `logistic`.
        Logistic = "logistic",
    }
}

impl Spacing {
    /// The grid of this name.
    pub fn grid(self) -> Box<dyn Grid> {
        match self {
            Self::Uniform => Box::new(Uniform),
            Self::LogSnr => Box::new(UniformLogSnr),
            Self::Karras => Box::new(Karras::default()),
            Self::Cosine => Box::new(CosineGrid),
            Self::Logistic => Box::new(Logistic::default()),
        }
    }
}
