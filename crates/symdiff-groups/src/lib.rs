//! Floor 1: groups, actions, Haar measure and charts.
//!
//! A group is a value; an [`Group::Element`] holds one group element per sample of a batch; it acts on states.

mod error;
mod traits;

pub use error::{Error, Result};
pub use traits::{Action, Chart, CompactGroup, Group};
