//! Equivariant diffusion via stochastic symmetrisation (arXiv 2410.06262), on Candle.
//!
//! Take any network k and any network f. Draw a group element g from the learned kernel γ = sym_Haar(f), denoise in the rotated frame, rotate
//! back: g·k(g⁻¹·x). The result is equivariant in law, though neither network is.
//!
//! ```
//! use symdiff::prelude::*;
//! use candle_core::{DType, Device, Tensor};
//! # fn main() -> symdiff::core::Result<()> {
//! // A denoiser that is not equivariant at all, and how Haar draws alone make it so.
//! let o3 = Orthogonal::new(3);
//! let plain = Map::new(|x: &Points| Ok(Points::new(x.positions().sqr()?, x.layout().clone())?));
//! let model = plain.symmetrised(o3, Haar(o3));
//!
//! let layout = Ragged::from_sizes(&[4, 2])?;
//! let x = Points::new(Tensor::ones((6, 3), DType::F32, &Device::Cpu)?, layout)?;
//! let y = model.sample(&x, Noise::seeded(0))?;
//! assert_eq!(y.positions().dims(), [6, 3]);
//! # Ok(()) }
//! ```
//!
//! This crate only re-exports; each floor is a crate of its own, to be taken alone:
//!
//! | module | crate | feature |
//! |---|---|---|
//! | [`ops`] | `symdiff-ops` | always |
//! | [`groups`] | `symdiff-groups` | always |
//! | [`core`] | `symdiff-core` | always |
//! | `nets` | `symdiff-nets` | `nets` |
//! | `diffusion` | `symdiff-diffusion` | `diffusion` |
//! | `mol` | `symdiff-mol` | `mol` |
//! | `train` | `symdiff-train` | `train` |
//! | `models` | `symdiff-models` | `models` |

pub use symdiff_core as core;
#[cfg(feature = "diffusion")]
pub use symdiff_diffusion as diffusion;
pub use symdiff_groups as groups;
#[cfg(feature = "models")]
pub use symdiff_models as models;
#[cfg(feature = "mol")]
pub use symdiff_mol as mol;
#[cfg(feature = "nets")]
pub use symdiff_nets as nets;
pub use symdiff_ops as ops;
#[cfg(feature = "train")]
pub use symdiff_train as train;

/// What most programs name.
pub mod prelude {
    pub use symdiff_core::{Charted, Haar, Identity, Map, MarkovKernel, MarkovKernelExt, Symmetrised};
    #[cfg(feature = "diffusion")]
    pub use symdiff_diffusion::{
        Ancestral, At, Denoiser, Eps, Gaussian, L2, Objective, Path, Process, Reverse, Schedule, Times, VariancePreserving, Vlb,
    };
    pub use symdiff_groups::{Action, Chart, CompactGroup, GramSchmidt, Group, Orthogonal, Points, SpecialOrthogonal};
    #[cfg(feature = "models")]
    pub use symdiff_models::{Experiment, Model, Trained};
    #[cfg(feature = "mol")]
    pub use symdiff_mol::{Molecule, state::Molecules};
    pub use symdiff_ops::{Batched, Euclidean, Noise, Ragged, Samples};
    #[cfg(feature = "train")]
    pub use symdiff_train::{Task, Trainer};
}
