//! Symmetrisation, averages, objectives and the tests of equivariance, against what the theory says of them.

// Where the same numbers must come out, they must be the same numbers.
#![allow(clippy::float_cmp)]

mod averages;
mod common;
mod objectives;
mod symmetrised;
mod tests_of_laws;
