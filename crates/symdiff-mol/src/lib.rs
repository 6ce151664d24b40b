#![doc = include_str!("../README.md")]
//!
//! # Layer 3
//!
//! A [`Molecule`] is what files hold and judges see; a [`data::MoleculeSet`] is what training sees: the same atoms, packed, in `f32`. Positions are
//! angstrom everywhere.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::float_cmp, clippy::naive_bytecount, reason = "stored numbers come back exactly; tests count few bytes"))]

pub mod chemistry;
pub mod data;
pub mod element;
mod error;
pub mod formats;
mod formula;
pub mod metrics;
mod molecule;
pub mod state;

pub use error::{Error, Fault, Place, Result};
pub use formula::Formula;
pub use molecule::{Bond, BondOrder, Molecule};
