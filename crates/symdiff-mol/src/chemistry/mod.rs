//! Chemistry of a geometry: bonds, stability, and the protocols that judge samples.

mod bonds;
mod graph;
mod protocol;
mod sanitise;
mod stability;
mod tables;

pub use bonds::perceive_bonds;
pub use graph::fragments;
pub use protocol::{Protocol, Verdict};
pub use sanitise::canonical_smiles;
pub use tables::typical_length;
