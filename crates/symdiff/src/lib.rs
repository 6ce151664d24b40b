#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub use candle_core;
pub use symdiff_core as kernels;
#[cfg(feature = "diffusion")]
pub use symdiff_diffusion as diffusion;
#[cfg(any(feature = "mol", feature = "train"))]
pub use symdiff_files as files;
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
