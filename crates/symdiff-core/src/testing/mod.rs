//! Is this kernel equivariant? Checks for tests of your own models.
//!
//! | question | answer |
//! |---|---|
//! | does it commute with the group when its Haar draw is transported? | [`coupled_gap`]: exact up to rounding |
//! | is k(· \| h·x) the law of h·k(· \| x)? | [`LawTest::equivariance`]: energy distance with a permutation p-value |
//! | is a sampler's law invariant? | [`LawTest::invariance`] |
//! | do two samplers have one law? | [`LawTest::agreement`] |
//! | how far off is it? | [`equivariance_error`] (same noise) and [`LawTest::discrepancy`] (in law), with confidence intervals |
//!
//! Level and power are measured by `cargo run --release -p symdiff-core --example power`.

mod coupled;
mod energy;
mod error;
mod law;
mod recorded;

pub use coupled::{MovedHaar, coupled_gap};
pub use energy::{TwoSample, energy_distance, two_sample};
pub use error::{Estimate, equivariance_error};
pub use law::LawTest;
pub use recorded::Recorded;
