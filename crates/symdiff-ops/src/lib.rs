//! Floor 0: tensors.
mod error;
pub mod threads;
pub use error::{Error, Result};
