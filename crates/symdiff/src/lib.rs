//! Equivariant diffusion via stochastic symmetrisation (arXiv 2410.06262), on Candle.
//!
//! Take any network k and any network f. Draw a group element g from the learned kernel γ = sym_Haar(f), denoise in the rotated frame, rotate
//! back: g·k(g⁻¹·x). The result is equivariant in law, though neither network is.
//!
//! ```
//! use symdiff::prelude::*;
//! # fn main() -> Result<(), symdiff::kernels::Error> {
//! // Two networks that are not equivariant at all.
//! let denoiser = Map::new(|x: &Cloud| Ok(Cloud::new(x.tensor().sqr()?)?));
//! let frame_net = Map::new(|x: &Cloud| Ok(x.tensor().narrow(1, 0, 3)?)); // [B, 3, 3]
//!
//! let o3 = Orthogonal::new(3);
//! let gamma = frame_net.charted(o3, GramSchmidt::columns()).haar_symmetrised();
//! let model = denoiser.symmetrised(gamma);
//!
//! let x = Cloud::new(Tensor::randn(0_f32, 1.0, (2, 5, 3), &Device::Cpu)?)?;
//! let y = model.sample(&x, Noise::seeded(0))?;
//! assert_eq!(y.tensor().dims(), [2, 5, 3]);
//! # Ok(()) }
//! ```
//!
//! This crate only re-exports; each module is a crate of its own, to be taken alone:
//!
//! | module | crate | feature |
//! |---|---|---|
//! | [`ops`] | `symdiff-ops` | always |
//! | [`groups`] | `symdiff-groups` | always |
//! | [`kernels`] | `symdiff-core` | always |
//! | `nets` | `symdiff-nets` | `nets` |
//! | `diffusion` | `symdiff-diffusion` | `diffusion` |
//! | `mol` | `symdiff-mol` | `mol` |
//! | `train` | `symdiff-train` | `train` |
//! | `models` | `symdiff-models` | `models` |
//!
//! [`candle_core`] is re-exported, so that the tensors of your program are those of this version. `full` turns every feature on but `cuda`.

pub use candle_core;
pub use symdiff_core as kernels;
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
    pub use candle_core::{DType, Device, Tensor};
    pub use symdiff_core::testing::LawTest;
    pub use symdiff_core::{
        Charted, Draw, GroupKernel, Haar, Identity, Learned, Map, MarkovKernel, MarkovKernelExt, Network, OnGroup, Raw, Symmetrised,
    };
    #[cfg(feature = "diffusion")]
    pub use symdiff_diffusion::{
        Ancestral, At, Denoiser, Eps, Gaussian, L2, Objective, Path, Process, Reverse, Schedule, Times, VariancePreserving, Vlb,
    };
    pub use symdiff_groups::{
        Action, Chart, Cloud, CompactGroup, Cyclic, Dense, Dihedral, Field, Fixed, GramSchmidt, Group, Image, MatrixGroup, Observe,
        Orthogonal, Points, Product, Set, SpecialOrthogonal, Symmetric, Vectors, act_as, act_on_fields, dense,
    };
    #[cfg(feature = "models")]
    pub use symdiff_models::{Experiment, Model, Trained};
    #[cfg(feature = "mol")]
    pub use symdiff_mol::{Molecule, state::Molecules};
    pub use symdiff_ops::{Batched, Euclidean, Noise, Ragged, Samples};
    #[cfg(feature = "train")]
    pub use symdiff_train::{Task, Trainer};
}

/// The programs in README and guide compile.
#[cfg(doctest)]
mod texts {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/src/guide.md")]
    struct Guide;
    #[doc = include_str!("../../../docs/src/own-project.md")]
    struct OwnProject;
    #[doc = include_str!("../../../docs/src/glossary.md")]
    struct Glossary;
}
