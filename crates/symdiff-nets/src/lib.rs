#![doc = include_str!("../README.md")]
//!
//! # Layer 1
//!
//! Symbols: **B** samples, **N** nodes in total, **D** hidden size. Inputs and outputs are packed, `[N, C]`, and go with a
//! [`Ragged`](symdiff_ops::Ragged) layout. Parameters come from a `VarBuilder`, last argument of every constructor. All networks can be trained.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod dit;
pub mod egnn;
mod error;
pub mod gnn;
mod linear;
mod mlp;
mod padded;
mod pair;

pub use dit::{Dit, DitConfig, MlpType, TimeEmbedding};
pub use egnn::{Aggregation, Egnn, EgnnConfig};
pub use error::{Error, Result};
pub use gnn::{Gnn, GnnConfig, Padding};
pub use linear::{Linear, Start};
pub use mlp::GeluMlp;
pub use padded::PaddedTo;
pub use pair::{PairConfig, PairFeatures};
