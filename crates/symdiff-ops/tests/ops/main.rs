//! Each op against its slow composed twin: one file an op, one check for all of them (`common::check_op`).

mod common;
mod gram_schmidt3;
mod rotate;
mod segment;
