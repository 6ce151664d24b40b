//! Floor 2: Markov kernels and their stochastic symmetrisation.

mod error;
mod kernel;

pub use error::{Error, Result};
pub use kernel::MarkovKernel;
