//! Kernels on a group: where γ comes from.

mod charted;
mod coset;
mod group_kernel;
mod haar;
mod point_frames;
mod principal;

pub use charted::Charted;
pub use coset::CosetHaar;
pub use group_kernel::{GroupKernel, On, OnGroup};
pub use haar::{Centroid, Haar, Identity};
pub use point_frames::PointFrames;
pub use principal::{PrincipalAxes, Scatter};
