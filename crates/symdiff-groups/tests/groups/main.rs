//! Every group, action, chart and Haar draw against its laws.

// Finite groups move numbers and never change them: their laws hold exactly.
#![allow(clippy::float_cmp)]

mod actions;
mod axioms;
mod charts;
mod common;
mod euclidean;
mod haar;
mod half;
mod own;
