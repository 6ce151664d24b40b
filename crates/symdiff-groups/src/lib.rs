//! Floor 1: groups, actions, Haar measure and charts.
//!
//! A group is a value; an [`Group::Element`] holds one group element per sample of a batch; it acts on states. Elements are made only by
//! `identity`, `haar`, `project`, `compose`, `inverse` and checking constructors, and used only by `act`: no bare matrix product of
//! group elements occurs outside this crate, so that left and right cannot be confused.
//!
//! Points are rows: R·x is x·Rᵀ in matrices, hence R⁻¹·x = x·R.

mod error;
mod orthogonal;
mod points;
mod traits;

pub use error::{Error, Result};
pub use orthogonal::{GramSchmidt, Matrices, MatrixGroup, Orthogonal, SpecialOrthogonal};
pub use points::Points;
pub use traits::{Action, Chart, CompactGroup, Group};
