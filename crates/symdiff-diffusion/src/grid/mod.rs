//! Where on a path a sampler stops: which times its steps lead from and to.

mod uniform;

pub use uniform::Uniform;

use crate::{Path, Result};

/// A rule for placing the steps of a sampler. One of your own is a file with this one method.
pub trait Grid {
    /// `steps` + 1 times, falling from 1 to 0.
    ///
    /// # Errors
    /// When the path does not suit the rule.
    fn times(&self, path: &dyn Path, steps: usize) -> Result<Vec<f64>>;
}
