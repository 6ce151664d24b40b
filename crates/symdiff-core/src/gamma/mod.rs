//! Kernels on a group: where γ comes from.

mod charted;
mod coset;
mod haar;
mod learned;
mod point_frames;
mod principal;

pub use charted::Charted;
pub use coset::CosetHaar;
pub use haar::{Centroid, Haar, Identity};
pub use learned::{Composition, Learned};
pub use point_frames::PointFrames;
pub use principal::{PrincipalAxes, Scatter};

use crate::MarkovKernel;
use symdiff_groups::Group;

/// A kernel on the group `G`: a γ, or the f that one is made of. Every kernel whose outputs are elements is one.
pub trait GroupKernel<G: Group, X>: MarkovKernel<X, Out = G::Element> {}

impl<G: Group, X, K: MarkovKernel<X, Out = G::Element>> GroupKernel<G, X> for K {}
