#![doc = include_str!("../README.md")]
//!
//! # Layer 0
//!
//! An [`Output`] is written beside its place, under a fixed name and locked, and renamed when it is whole. With random names, what kills leave would pile
//! up, each as large as a checkpoint, and two runs could write one result; with the fixed one, the next run writes over what a kill has left.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod half_written;
mod output;

pub use error::{Error, Result, is_input};
pub use half_written::exit;
pub use output::{Output, reserve, sweep};
