//! Property networks: they predict a property of a clean molecule, and so judge molecules that were asked to have it.
//!
//! A property network is the model of an experiment with a `[property]` section: any backbone, symmetrised as the experiment says. It is given the clean molecule at time 0, and
//! of its answer it reads the features, on which no group acts. These are added up over the atoms, and two layers read the property from the sum. So the value does not depend
//! on the order of atoms; and it is invariant under the model's group where the model is equivariant, exactly without a γ, in law where γ draws frames. There a value is the mean over
//! several of them.
//!
//! # Source
//! The network of Satorras, Hoogeboom, Welling (arXiv 2102.09844, section 5.3), which Hoogeboom et al. (arXiv 2203.17003, section 5.2) judge conditional models by: messages
//! over fixed positions, so a backbone `egnn` of one block of seven message passing layers.

mod baseline;
mod network;
mod task;
mod trained;

pub use baseline::Baseline;
pub use network::PropertyNetwork;
pub use task::{PropertyTask, PropertyTrainer, resume_with, start_with};
pub use trained::{HeldOut, TrainedProperty};
