//! The programs of the chapter "In your own project", one file each; the test suite runs what the reader copies.

// Where the same numbers must come out, they must be the same numbers.
#![allow(clippy::float_cmp)]

mod group;
mod network;
mod norms;
mod sampling;
mod state;
mod training;
