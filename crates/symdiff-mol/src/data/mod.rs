//! Sets of molecules: packed storage, splits, sizes, elements, and the set that comes with the crate.

mod array;
mod cache;
#[cfg(feature = "download")]
pub mod download;
mod embedded;
mod fingerprint;
mod joint;
mod load;
mod preparation;
mod properties;
mod published;
mod references;
mod set;
mod sizes;
mod split;
mod units;
mod vocabulary;

pub use cache::{CacheWriter, read_cache, write_cache};
pub use embedded::{embedded, encode_embedded, encode_properties};
pub use fingerprint::{fingerprint, split_fingerprint};
pub use joint::JointHistogram;
pub use load::{load, load_cached};
pub use preparation::{Preparation, Prepared, prepare, read_exclusions};
pub use properties::PropertyStatistics;
pub use published::{published_sizes, published_sizes_of_second_half};
pub use references::{AtomReferences, REFERENCED};
pub use set::MoleculeSet;
pub(crate) use set::in_file;
pub use sizes::SizeHistogram;
pub use split::{Half, Part, Split, legacy_permutation, read_permutation};
pub use vocabulary::Vocabulary;
