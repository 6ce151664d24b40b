//! Metrics of a set of molecules. Tallies are counts, so they merge in any order to the same numbers.

mod checks;
mod column;
mod compare;
mod energy;
mod evaluate;
mod geometry;
mod interval;
mod judge;
mod point;
mod profile;
mod significance;
mod statistics;
mod target;

pub use checks::{CHECKS, CheckRates, CheckTally, Checks};
pub use column::{Column, Evaluated};
pub use compare::{Comparison, compare};
pub use energy::{Energy, EnergySummary, Xtb, net_charge};
pub use evaluate::{Summary, Tally};
pub use interval::{Interval, IntervalKind, Resampling};
pub use judge::{Input, judge_file, judge_pieces, judge_set};
pub use point::SinglePoint;
pub use profile::{Kind, Profile};
pub use significance::{Design, Difference, differences};
pub use statistics::{LEVEL, holm};
pub use target::TargetSummary;
