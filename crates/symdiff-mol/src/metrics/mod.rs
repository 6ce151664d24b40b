//! Metrics of a set of molecules. Tallies are counts, so they merge in any order to the same numbers.

mod evaluate;
mod judge;

pub use evaluate::{Summary, Tally};
pub use judge::{judge_file, judge_set};
