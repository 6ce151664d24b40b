//! Each op against its twin in Candle's own ops: one file per op, one check for all of them (`common::check_op`).

mod activations;
mod ada_layer_norm;
mod adamw;
mod common;
mod edge_message;
mod gated_residual;
mod gram_schmidt3;
mod linear;
mod misuse;
mod pair_gaussian_mean;
mod ragged_attention;
mod rotate;
mod segment;
mod stack;
